-- An explicit NULL stays NULL although the column has a default, copied and streamed.
CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 1, b text DEFAULT 'x', c bool DEFAULT true, d numeric DEFAULT 1.5);
INSERT INTO t VALUES (1, NULL, NULL, NULL, NULL);
INSERT INTO t (id) VALUES (2);

-- while streaming
INSERT INTO t VALUES (3, NULL, NULL, NULL, NULL);

INSERT INTO t (id) VALUES (4);

UPDATE t SET a = NULL, b = NULL, c = NULL, d = NULL WHERE id = 2;
