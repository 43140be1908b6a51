-- All keys are permuted at once under a deferrable constraint, which is no key to us: the table is a bag.
CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text);
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 5) g;

-- while streaming
UPDATE t SET id = 6 - id;

UPDATE t SET id = id % 5 + 1;
