-- Names that differ in case or only look like a pattern for one another are different tables.
CREATE TABLE "T" (id int PRIMARY KEY, "Id" int);
CREATE TABLE t (id int PRIMARY KEY, "ID" int);
CREATE TABLE "a_b" (id int PRIMARY KEY);
CREATE TABLE "a%b" (id int PRIMARY KEY);
CREATE TABLE "axb" (id int PRIMARY KEY);
INSERT INTO "T" VALUES (1, 1);
INSERT INTO t VALUES (2, 2);

-- while streaming
INSERT INTO "T" VALUES (3, 3);
UPDATE t SET "ID" = 4;
INSERT INTO "a_b" VALUES (1);
INSERT INTO "a%b" VALUES (2);
INSERT INTO "axb" VALUES (3);
