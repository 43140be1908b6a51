-- A prepared transaction counts from COMMIT PREPARED on, also when a mark was taken between the two.
CREATE TABLE t (id int PRIMARY KEY, n int);
INSERT INTO t SELECT g, 0 FROM generate_series(1, 5) g;

-- while streaming
BEGIN;
UPDATE t SET n = 1 WHERE id = 1;
PREPARE TRANSACTION 'at once';

COMMIT PREPARED 'at once';

BEGIN;
UPDATE t SET n = 2 WHERE id = 2;
PREPARE TRANSACTION 'never';

BEGIN;
UPDATE t SET n = 3 WHERE id = 3;
PREPARE TRANSACTION 'later';

-- after a mark
ROLLBACK PREPARED 'never';

COMMIT PREPARED 'later';

UPDATE t SET n = 9 WHERE id = 2;
