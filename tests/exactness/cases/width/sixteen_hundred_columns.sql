-- As many columns as PostgreSQL allows, and one of them more after another was dropped.
-- long
DO $$ BEGIN
    EXECUTE 'CREATE TABLE t (id int PRIMARY KEY, ' || (SELECT string_agg('c' || g || ' int', ', ') FROM generate_series(1, 1598) g) || ')';
END $$;
INSERT INTO t (id, c1, c1598) SELECT g, g, -g FROM generate_series(1, 3) g;

-- while streaming
UPDATE t SET c800 = 800 WHERE id = 1;

INSERT INTO t (id, c2) VALUES (4, 5);

ALTER TABLE t ADD COLUMN last text DEFAULT 'the last';

DELETE FROM t WHERE id = 2;
