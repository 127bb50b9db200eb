package sqlite

// The marks of a file that is ours: "CArq" as application id, and the version
// of the schema as user_version. A change of the schema adds a step to migrate
// and raises schemaVersion.
const (
	applicationID = 0x43417271
	schemaVersion = 1
)

// Keys compare by bytes (BINARY is the default collation), as in DynamoDB.
// An item without index has NULLs there, one that never expires has 0.
const sqlCreate = `
CREATE TABLE item (
	pk      TEXT    NOT NULL,
	sk      TEXT    NOT NULL,
	ipk     TEXT,
	isk     TEXT,
	version INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	body    TEXT    NOT NULL,
	PRIMARY KEY (pk, sk)
) STRICT;
CREATE INDEX item_path    ON item (ipk, isk, pk, sk) WHERE ipk IS NOT NULL;
CREATE INDEX item_expires ON item (expires) WHERE expires > 0;
PRAGMA application_id = 0x43417271;
PRAGMA user_version = 1;`

const (
	sqlGet = `
SELECT pk, sk, ipk, isk, version, expires, body FROM item
WHERE pk = ?1 AND sk = ?2 AND (expires = 0 OR expires > ?3)`

	// An expired item is replaced as if it were not there.
	sqlInsert = `
INSERT INTO item (pk, sk, ipk, isk, version, expires, body) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)
ON CONFLICT (pk, sk) DO UPDATE SET
	ipk = excluded.ipk, isk = excluded.isk, version = 1, expires = excluded.expires, body = excluded.body
WHERE item.expires > 0 AND item.expires <= ?7`

	sqlUpdate = `
UPDATE item SET ipk = ?3, isk = ?4, version = version + 1, expires = ?5, body = ?6
WHERE pk = ?1 AND sk = ?2 AND version = ?7 AND (expires = 0 OR expires > ?8)`

	sqlUpsert = `
INSERT INTO item (pk, sk, ipk, isk, version, expires, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (pk, sk) DO UPDATE SET
	ipk = excluded.ipk, isk = excluded.isk, version = excluded.version, expires = excluded.expires, body = excluded.body`

	// A counter that has expired begins again.
	sqlAdd = `
INSERT INTO item (pk, sk, version, expires, body) VALUES (?1, ?2, ?3, ?4, '')
ON CONFLICT (pk, sk) DO UPDATE SET
	version = CASE WHEN item.expires > 0 AND item.expires <= ?5 THEN 0 ELSE item.version END + excluded.version,
	expires = CASE WHEN item.expires <= ?5 THEN excluded.expires ELSE item.expires END
RETURNING version`

	sqlDelete = `DELETE FROM item WHERE pk = ?1 AND sk = ?2`

	sqlPurge = `
DELETE FROM item WHERE rowid IN (SELECT rowid FROM item WHERE expires > 0 AND expires <= ?1 LIMIT 500)`

	// Ranges are half-open: from the prefix, or the first key after the cursor,
	// to the first key after the prefix, or the cursor when descending.
	sqlAsc = `
SELECT pk, sk, ipk, isk, version, expires, body FROM item
WHERE pk = ?1 AND sk >= ?2 AND sk < ?3 AND (expires = 0 OR expires > ?4)
ORDER BY sk LIMIT ?5`

	sqlDesc = `
SELECT pk, sk, ipk, isk, version, expires, body FROM item
WHERE pk = ?1 AND sk >= ?2 AND sk < ?3 AND (expires = 0 OR expires > ?4)
ORDER BY sk DESC LIMIT ?5`

	// Index keys may be shared, so the item's own key breaks ties.
	sqlIndexAsc = `
SELECT pk, sk, ipk, isk, version, expires, body FROM item
WHERE ipk = ?1 AND (isk, pk, sk) > (?2, ?3, ?4) AND isk < ?5 AND (expires = 0 OR expires > ?6)
ORDER BY isk, pk, sk LIMIT ?7`

	sqlIndexDesc = `
SELECT pk, sk, ipk, isk, version, expires, body FROM item
WHERE ipk = ?1 AND (isk, pk, sk) < (?2, ?3, ?4) AND isk >= ?5 AND (expires = 0 OR expires > ?6)
ORDER BY isk DESC, pk DESC, sk DESC LIMIT ?7`
)
