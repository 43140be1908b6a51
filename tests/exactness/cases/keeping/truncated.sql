-- A TRUNCATE ends what there is: rows that nobody touched, that changed and that came before it; others follow.
-- spec: deletes: soft
-- spec: history: scd2
CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (5);
CREATE TABLE high PARTITION OF parts FOR VALUES FROM (5) TO (MAXVALUE);
INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 6) g;
INSERT INTO parts SELECT g, 'v' || g FROM generate_series(1, 8) g;

-- while streaming
UPDATE t SET v = 'changed' WHERE id < 3;

INSERT INTO t VALUES (7, 'came');

DELETE FROM t WHERE id = 6;

UPDATE parts SET id = 9 WHERE id = 4;

UPDATE parts SET id = 0 WHERE id = 7;

TRUNCATE t;

BEGIN;
INSERT INTO t VALUES (1, 'never seen');
TRUNCATE t;
INSERT INTO t VALUES (2, 'seen');
COMMIT;

-- after a mark
TRUNCATE parts, t;

INSERT INTO t VALUES (3, 'last');

INSERT INTO parts VALUES (5, 'last');
