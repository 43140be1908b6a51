-- Types grow without a rewrite.
CREATE TABLE t (id int PRIMARY KEY, a varchar(5), b numeric(8,2), c varchar(3), d timestamp(0));
INSERT INTO t VALUES (1, 'abc', 1.50, 'x', '2026-01-01 12:00:01'), (2, 'abc', 'NaN', NULL, 'infinity');

-- while streaming
UPDATE t SET b = 2 WHERE id = 1;

ALTER TABLE t ALTER a TYPE varchar(20), ALTER b TYPE numeric(20,2), ALTER c TYPE text, ALTER d TYPE timestamp(6);

INSERT INTO t VALUES (3, 'longer than five', 123456789012.50, 'longer', '2026-01-01 12:00:01.123456');

-- after a mark
ALTER TABLE t ALTER b TYPE numeric;

INSERT INTO t VALUES (4, '', 0.000000001, '', NULL);
