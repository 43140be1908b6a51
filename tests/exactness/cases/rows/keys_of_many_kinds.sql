-- Keys of five columns of mixed types, of uuids, of numerics and of text under a collation of its own.
CREATE TABLE five (a int, b text, c numeric, d date, e bool, v int, PRIMARY KEY (a, b, c, d, e));
CREATE TABLE ids (id uuid PRIMARY KEY, v int);
CREATE TABLE numbers (n numeric PRIMARY KEY, v int);
CREATE TABLE words (w text COLLATE "und-x-icu" PRIMARY KEY, v int);
INSERT INTO five SELECT g, E'b\t' || g, g / 7.0, '2026-01-01'::date + g, g % 2 = 0, 0 FROM generate_series(1, 9) g;
INSERT INTO ids SELECT md5(g::text)::uuid, 0 FROM generate_series(1, 9) g;
INSERT INTO numbers VALUES (1.0, 0), ('NaN', 0), ('Infinity', 0), (0.000, 0), (1e100, 0);
INSERT INTO words VALUES ('a', 0), ('A', 0), ('ä', 0), (E'a\u0308', 0), ('', 0), ('\N', 0);

-- while streaming
UPDATE five SET v = 1 WHERE a < 5;
UPDATE five SET c = c + 1, e = NOT e WHERE a = 5;
DELETE FROM five WHERE a = 9;
UPDATE ids SET v = 1 WHERE id < '80000000-0000-0000-0000-000000000000';
UPDATE numbers SET v = 1;
UPDATE numbers SET n = 1.00 WHERE n = 1;
UPDATE words SET v = 1 WHERE w IN ('a', 'ä', '');
DELETE FROM words WHERE w = 'A';
UPDATE words SET w = 'Ä' WHERE w = '\N';
