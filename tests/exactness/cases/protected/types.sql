-- A column of any type is hashed by the text that PostgreSQL prints for it.
-- protect: i hash, n hash, f hash, b hash, c hash, y hash, at hash, d hash, a hash, p hash, m hash, x hash, j hash, lc hash, iv mask, note drop
CREATE TYPE pair AS (a int, b text);
CREATE TYPE mood AS ENUM ('kanarie', 'sad');
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE t (
    id int PRIMARY KEY, i bigint, n numeric, f float8, b bool, c char(9), y bytea, at timestamptz, d date, a text[], p pair,
    m mood, x positive, j json, lc money, iv interval, note inet
);
INSERT INTO t VALUES
    (1, 1, 'NaN', '-0', true, 'kanarie', 'kanarie', 'infinity', '0044-03-15 BC', ARRAY['kanarie', NULL], ROW(NULL, 'kanarie'),
     'kanarie', 7, '{"kanarie":  1}', 12.5, '1 day', '10.0.0.1');
INSERT INTO t (id) VALUES (2), (3);

-- while streaming
INSERT INTO t SELECT id + 10, i, n, f, b, c, y, at, d, a, p, m, x, j, lc, iv, note FROM t;

UPDATE t SET (i, n, f, b, c, y, at, d, a, p, m, x, j, lc, iv, note) =
    (SELECT i, n, f, b, c, y, at, d, a, p, m, x, j, lc, iv, note FROM t WHERE id = 1) WHERE id = 2;

-- after a mark
UPDATE t SET f = 0.1::float8 + 0.2, n = 1.00, at = '2026-01-02 03:04:05+05:45', p = ROW(NULL, NULL), c = '' WHERE id = 3;
