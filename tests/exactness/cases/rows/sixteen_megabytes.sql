-- Texts and bytes of sixteen megabytes, at the ends of Unicode, unchanged and changed.
-- long
CREATE TABLE t (id int PRIMARY KEY, v text, b bytea, n int);
INSERT INTO t VALUES (1, repeat(U&'\+10FFFF', 4000000), decode(repeat('00ff', 8000000), 'hex'), 1);

-- while streaming
INSERT INTO t VALUES (2, repeat(E'\\\t\n', 5000000), '', 1);

UPDATE t SET n = 2;

-- after a mark
UPDATE t SET id = 3 WHERE id = 1;

UPDATE t SET b = decode(repeat('01', 16000000), 'hex') WHERE id = 2;
