-- What the first version of Fermata with a store has written: one execution that waits, one that has completed.
CREATE TABLE executions (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  owner TEXT,
  workflow TEXT NOT NULL,
  version TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  stand TEXT NOT NULL,
  unfinished INTEGER NOT NULL,
  awaiting_since INTEGER,
  due_at INTEGER,
  settled_at INTEGER,
  truncated INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX executions_owner ON executions (owner, n) WHERE owner IS NOT NULL;
CREATE INDEX executions_unfinished ON executions (n) WHERE unfinished = 1;
CREATE INDEX executions_awaiting ON executions (awaiting_since) WHERE awaiting_since IS NOT NULL;
CREATE INDEX executions_due ON executions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX executions_open ON executions (workflow, version) WHERE settled_at IS NULL;
CREATE TABLE journal (
  n INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  facts TEXT NOT NULL,
  PRIMARY KEY (n, seq)
) WITHOUT ROWID;
CREATE TABLE names (
  name TEXT PRIMARY KEY,
  n INTEGER NOT NULL,
  fingerprint TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX names_n ON names (n);
CREATE TABLE vault (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
INSERT INTO "executions" VALUES(1,'Z3-5cz_UtfWh401g77U8J','alice','asking','1',1767225600000,'interaction_required',0,1767225600000,1767830400000,NULL,0);
INSERT INTO "executions" VALUES(2,'77gl2Q0Gjg8v3gOuqsHqv','alice','greeting','1',1767225600000,'completed',0,NULL,1767226200000,1767225600000,0);
INSERT INTO "journal" VALUES(1,0,'{"recover":"replay","version":"1","retentionMs":600000,"names":[{"name":"[\"key\",\"alice\",\"first\"]","fingerprint":"HyK287Mz3E6aVwHZaIyJj0nYz7lTy+rFdezHgzECSYs="}],"request":{"by":{"userId":"alice","isOperator":false},"interactive":true,"streaming":false,"trace":{"traceId":"5ffdfa5ff9ada7be3ddfb22e710971a7","runId":"e7fa3371-bc19-4396-bdf1-37fefc0e568e","parentId":null,"parentName":null},"request":{"method":null,"path":null,"scheme":null,"port":null,"headers":{},"query":{},"pathParams":{},"client":null},"isInputPlain":true}}');
INSERT INTO "journal" VALUES(1,1,'[{"type":"execution.started","workflow":"asking","owner":"alice","form":null,"input":"Ada","at":1767225600000,"seq":1}]');
INSERT INTO "journal" VALUES(1,2,'[{"type":"slot.granted","at":1767225600000,"seq":2},{"type":"step.started","call":0,"name":"look","at":1767225600000,"seq":3}]');
INSERT INTO "journal" VALUES(1,4,'[{"type":"step.completed","call":0,"value":1,"at":1767225600000,"seq":4}]');
INSERT INTO "journal" VALUES(1,5,'[{"type":"output.emitted","call":1,"value":"a part","at":1767225600000,"seq":5},{"type":"interaction.requested","call":2,"id":"d0QafVumNtHoz7-DD1vhN","prompt":{"text":"Name?","timeout":null,"error":"This prompt is no longer available.","input_type":"text","placeholder":null,"required":true},"dueAt":null,"at":1767225600000,"seq":6}]');
INSERT INTO "journal" VALUES(2,0,'{"recover":"replay","version":"1","retentionMs":600000,"names":[{"name":"[\"key\",\"alice\",\"second\"]","fingerprint":"44sGPDtCvBpGmq0daCrsZ/ee/rwPYM1Tz9KS7LGDFE0="}],"request":{"by":{"userId":"alice","isOperator":false},"interactive":true,"streaming":false,"trace":{"traceId":"5ffdfa5ff9ada7be3ddfb22e710971a7","runId":"e7fa3371-bc19-4396-bdf1-37fefc0e568e","parentId":null,"parentName":null},"request":{"method":null,"path":null,"scheme":null,"port":null,"headers":{},"query":{},"pathParams":{},"client":null},"isInputPlain":true}}');
INSERT INTO "journal" VALUES(2,1,'[{"type":"execution.started","workflow":"greeting","owner":"alice","form":null,"input":"Ada","at":1767225600000,"seq":1}]');
INSERT INTO "journal" VALUES(2,2,'[{"type":"slot.granted","at":1767225600000,"seq":2},{"type":"execution.completed","result":{"hello":"Ada"},"at":1767225600000,"seq":3}]');
INSERT INTO "names" VALUES('["key","alice","first"]',1,'HyK287Mz3E6aVwHZaIyJj0nYz7lTy+rFdezHgzECSYs=');
INSERT INTO "names" VALUES('["key","alice","second"]',2,'44sGPDtCvBpGmq0daCrsZ/ee/rwPYM1Tz9KS7LGDFE0=');
PRAGMA user_version = 1;
