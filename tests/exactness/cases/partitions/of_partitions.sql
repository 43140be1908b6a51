-- Partitions have partitions of their own, with their columns in another order, one of them dropped.
CREATE TABLE t (id int, kind text, day date, v text, PRIMARY KEY (id, kind, day)) PARTITION BY LIST (kind);
CREATE TABLE t_a (v text, gone int, day date NOT NULL, kind text NOT NULL, id int NOT NULL) PARTITION BY RANGE (day);
ALTER TABLE t_a DROP COLUMN gone;
ALTER TABLE t ATTACH PARTITION t_a FOR VALUES IN ('a');
CREATE TABLE t_a_all PARTITION OF t_a DEFAULT;
CREATE TABLE t_b PARTITION OF t FOR VALUES IN ('b');
INSERT INTO t SELECT g, CASE g % 2 WHEN 0 THEN 'a' ELSE 'b' END, '2026-01-01', 'v' FROM generate_series(1, 6) g;

-- while streaming
UPDATE t SET kind = 'a', v = 'w' WHERE id < 3;

INSERT INTO t VALUES (7, 'a', '2026-02-02', NULL);

-- after a mark
ALTER TABLE t ADD COLUMN n int DEFAULT 5;

INSERT INTO t VALUES (8, 'b', '2026-02-02', 'x', 6);

DELETE FROM t WHERE id = 4;
