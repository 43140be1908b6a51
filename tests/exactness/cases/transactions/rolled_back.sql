-- What is rolled back, whole or to one of a hundred savepoints, was never there.
CREATE TABLE t (id int PRIMARY KEY, n int);
INSERT INTO t VALUES (0, 0);

-- while streaming
BEGIN;
INSERT INTO t VALUES (1, 1);
UPDATE t SET n = -1;
ROLLBACK;

DO $$
BEGIN
    FOR i IN 1..100 LOOP
        BEGIN
            INSERT INTO t VALUES (1000 + i, i);
            UPDATE t SET n = n + 1 WHERE id = 0;
            IF i % 3 = 0 THEN RAISE EXCEPTION 'no'; END IF;
        EXCEPTION WHEN raise_exception THEN NULL;
        END;
    END LOOP;
END $$;

BEGIN;
INSERT INTO t VALUES (2, 2);
SAVEPOINT a;
INSERT INTO t VALUES (3, 3);
SAVEPOINT b;
UPDATE t SET n = -2 WHERE id = 2;
ROLLBACK TO a;
INSERT INTO t VALUES (3, 33);
RELEASE a;
COMMIT;
