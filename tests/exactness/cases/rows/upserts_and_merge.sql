-- INSERT … ON CONFLICT, and MERGE that inserts, updates and deletes.
CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 5);
INSERT INTO t SELECT g, g FROM generate_series(1, 6) g;

-- while streaming
INSERT INTO t VALUES (1, 100), (7, 100) ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n;

INSERT INTO t VALUES (2, 100), (8, NULL) ON CONFLICT DO NOTHING;

MERGE INTO t USING (SELECT g FROM generate_series(4, 10) g) s ON t.id = s.g
WHEN MATCHED AND t.id % 2 = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET n = -n
WHEN NOT MATCHED THEN INSERT VALUES (s.g, NULL);
