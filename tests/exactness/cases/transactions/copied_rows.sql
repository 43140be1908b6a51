-- Rows of COPY share one position in the log.
CREATE TABLE t (id int PRIMARY KEY, v text);

-- while streaming
COPY t FROM STDIN
1	one
2	\N
3	tab\there
4	

UPDATE t SET v = v || '!';

BEGIN;
INSERT INTO t SELECT g, 'many' FROM generate_series(1001, 4000) g;
DELETE FROM t WHERE id % 2 = 0;
UPDATE t SET v = 'odd' WHERE id > 2000;
COMMIT;
