"""DynamoDB: no write is lost, a query costs what its partition costs, and limits are those of AWS."""

import base64
import copy
import functools
import threading
import time
from dataclasses import dataclass

from moto.core.exceptions import JsonRESTError
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.exceptions import (
    ERROR_TYPE_PREFIX,
    ItemSizeTooLarge,
    MockValidationException,
    PointInTimeRecoveryUnavailable,
    TableAlreadyExistsException,
    TableNotFoundException,
)
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import RestoredPITTable, RestoredTable, Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult


def serve_one_call_at_a_time() -> None:
    """moto reads, computes and writes back without a lock: of 600 increments beside failing transactions it lost eight.

    The lock costs nothing, since one Python process computes one thing at a time anyway.
    """
    call_action = DynamoHandler.call_action
    lock = threading.RLock()

    @functools.wraps(call_action)
    def call_action_alone(handler: DynamoHandler):
        with lock:
            return call_action(handler)

    DynamoHandler.call_action = call_action_alone


def roll_back_items_not_tables() -> None:
    """moto copies whole tables before a transaction (half a second at 5,000 items) and puts the copies back if it fails.

    Now only the items a transaction names are kept, and put back in place. The copies that moto goes on making are made free: during a
    transaction a table's copy is the table.
    """
    transact_write_items = DynamoDBBackend.transact_write_items
    state = threading.local()

    def deepcopy_table(table: Table, memo: dict) -> Table:
        if getattr(state, "in_transaction", False):
            return table
        twin = Table.__new__(Table)
        memo[id(table)] = twin
        twin.__dict__.update(copy.deepcopy(table.__dict__, memo))
        return twin

    def transact(backend: DynamoDBBackend, transact_items: list[dict]) -> None:
        before = [kept for each in transact_items if (kept := _keep(backend, each))]
        stream_lengths = [(table.stream_shard, len(table.stream_shard.items)) for table in backend.tables.values() if table.stream_shard]
        state.in_transaction = True
        try:
            transact_write_items(backend, transact_items)
        except Exception:
            for kept in before:
                kept.restore()
            for shard, length in stream_lengths:
                del shard.items[length:]
            raise
        finally:
            state.in_transaction = False

    Table.__deepcopy__ = deepcopy_table
    DynamoDBBackend.transact_write_items = transact


@dataclass
class _Kept:
    """An item as it was before a transaction; None if there was none."""

    table: Table
    hash_key: DynamoType
    range_key: DynamoType | None
    item: Item | None

    def restore(self, into: Table | None = None) -> None:
        holder = self._holder(into or self.table)
        if self.item is None:
            holder.pop(self._key(), None)
        else:
            holder[self._key()] = self.item

    def _holder(self, table: Table) -> dict:
        return table.items[self.hash_key] if self.range_key is not None else table.items

    def _key(self) -> DynamoType:
        return self.hash_key if self.range_key is None else self.range_key


def _keep(backend: DynamoDBBackend, transact_item: dict) -> _Kept | None:
    """None for what writes nothing, and for what moto is about to refuse."""
    operation, parameters = next(iter(transact_item.items()))
    table = backend.tables.get(parameters.get("TableName"))
    named = parameters.get("Key") or parameters.get("Item") or {}
    if table is None or operation == "ConditionCheck":
        return None
    if any(name and name not in named for name in (table.hash_key_attr, table.range_key_attr)):
        return None
    hash_key = DynamoType(named[table.hash_key_attr])
    range_key = DynamoType(named[table.range_key_attr]) if table.range_key_attr else None
    return _Kept(table, hash_key, range_key, copy.deepcopy(table.get_item(hash_key, range_key)))


def query_one_partition() -> None:
    """moto sorts the whole table for each query and then drops all but one partition of it: 144 ms at 5,000 items, now 9."""
    all_items, query = Table.all_items, Table.query
    state = threading.local()

    def all_items_of_query(table: Table) -> list[Item]:
        wanted = getattr(state, "wanted", None)
        if wanted is None:
            return all_items(table)
        hash_key, index_conditions = wanted
        if index_conditions is None:
            return _partition(table, table.items[hash_key]) if hash_key in table.items else []
        every = (item for partition in table.items.values() for item in _partition(table, partition))
        return [item for item in every if all(item.attrs.get(name) == value for name, value in index_conditions if name in item.attrs)]

    @functools.wraps(query)
    def query_partition(table: Table, hash_key, *args, hash_key_conditions=None, **kwargs):
        index_name = args[6] if len(args) > 6 else kwargs.get("index_name")
        state.wanted = hash_key, (hash_key_conditions or []) if index_name else None
        try:
            return query(table, hash_key, *args, hash_key_conditions=hash_key_conditions, **kwargs)
        finally:
            state.wanted = None

    Table.all_items, Table.query = all_items_of_query, query_partition


def _partition(table: Table, partition) -> list[Item]:
    """moto keeps a dict of items under a hash key, or the item itself where the table has no range key."""
    return list(partition.values()) if table.range_key_attr else [partition]


def compare_strings_directly() -> None:
    """Sorting compares keys, and moto converts both through six type tests each time; nearly all keys are strings."""
    cast_value = DynamoType.cast_value.fget
    equal, less, greater = DynamoType.__eq__, DynamoType.__lt__, DynamoType.__gt__

    def both_strings(one: DynamoType, other: object) -> bool:
        return one.type == "S" and getattr(other, "type", None) == "S"

    DynamoType.cast_value = property(lambda one: one.value if one.type == "S" else cast_value(one))
    DynamoType.__eq__ = lambda one, other: one.value == other.value if both_strings(one, other) else equal(one, other)
    DynamoType.__lt__ = lambda one, other: one.value < other.value if both_strings(one, other) else less(one, other)
    DynamoType.__gt__ = lambda one, other: one.value > other.value if both_strings(one, other) else greater(one, other)


def serialize_attributes_directly() -> None:
    """moto walks the service model for every value of every item; an attribute value is already in the form it goes out in."""
    serialize_map = BaseJSONSerializer._serialize_type_map

    def serialize(serializer: BaseJSONSerializer, serialized, value, shape, key: str) -> None:
        if shape.value.name != "AttributeValue":
            serialize_map(serializer, serialized, value, shape, key)
            return
        plain = {name: _attribute(attribute) for name, attribute in value.items()}
        serializer._default_serialize(serialized, plain, shape, key)

    BaseJSONSerializer._serialize_type_map = serialize


def _attribute(attribute: DynamoType | dict) -> dict:
    if isinstance(attribute, DynamoType):
        kind, value = attribute.type, attribute.value
    else:
        kind, value = next(iter(attribute.items()))
    match kind:
        case "M":
            return {kind: {name: _attribute(each) for name, each in value.items()}}
        case "L":
            return {kind: [_attribute(each) for each in value]}
        case "B":
            return {kind: _base64(value)}
        case "BS":
            return {kind: [_base64(each) for each in value]}
        case _:
            return {kind: value}


def _base64(value: bytes | str) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


ITEM_BYTES = 400 * 1024
BATCH_REQUESTS = 25


def measure_items_as_aws() -> None:
    """moto counts binary values as the base64 they travel as, and refuses items of more than 405,000 bytes; AWS takes 400 KiB of what is stored."""
    size = DynamoType.size

    def size_stored(value: DynamoType) -> int:
        if not value.is_binary():
            return size(value)
        return len(value.value) if isinstance(value.value, bytes) else len(base64.b64decode(value.value))

    def set_within_limit(attributes: LimitedSizeDict, key: str, value) -> None:
        kept = sum(_bytes(name) + _bytes(each) for name, each in attributes.items() if name != key)
        if kept + _bytes(key) + _bytes(value) > ITEM_BYTES:
            raise ItemSizeTooLarge
        dict.__setitem__(attributes, key, value)

    DynamoType.size = size_stored
    LimitedSizeDict.__setitem__ = set_within_limit


def _bytes(value) -> int:
    return value.size() if isinstance(value, DynamoType) else len(str(value).encode())


def refuse_long_batches() -> None:
    """moto takes a BatchWriteItem of any length, AWS 25 requests."""
    batch_write_item = DynamoHandler.batch_write_item

    @functools.wraps(batch_write_item)
    def batch_write_item_of_25(handler: DynamoHandler):
        if sum(len(requests) for requests in handler.body["RequestItems"].values()) > BATCH_REQUESTS:
            raise MockValidationException("Too many items requested for the BatchWriteItem call")
        return batch_write_item(handler)

    DynamoHandler.batch_write_item = batch_write_item_of_25


# What writes items, and where it names them: as the items of a transaction are named.
WRITES = {
    "PutItem": lambda body: [{"Put": body}],
    "UpdateItem": lambda body: [{"Update": body}],
    "DeleteItem": lambda body: [{"Delete": body}],
    "TransactWriteItems": lambda body: body.get("TransactItems", []),
    "BatchWriteItem": lambda body: [
        {"Put": {"TableName": table} | (request.get("PutRequest") or request.get("DeleteRequest") or {})}
        for table, requests in body.get("RequestItems", {}).items()
        for request in requests
    ],
}


def remember_items_for_recovery() -> None:
    """moto's tables forget what an item was. Of a table with point-in-time recovery every write keeps it, with the moment."""
    call_action = DynamoHandler.call_action

    @functools.wraps(call_action)
    def call_action_remembering(handler: DynamoHandler):
        written = WRITES.get(handler.headers.get("X-Amz-Target", "").rpartition(".")[2], lambda _: [])
        backend = handler.dynamodb_backend
        recovering = [each for each in written(getattr(handler, "params", {})) if _recovers(backend, next(iter(each.values())).get("TableName"))]
        before = [kept for each in recovering if (kept := _keep(backend, each)) is not None]
        answer = call_action(handler)
        for kept in before:
            _journal(kept.table).append((time.time(), kept))
        return answer

    DynamoHandler.call_action = call_action_remembering


def _recovers(backend: DynamoDBBackend, name: str | None) -> bool:
    return name in backend.tables and _recovers_since(backend.tables[name]) is not None


def _journal(table: Table) -> list[tuple[float, _Kept]]:
    return table.__dict__.setdefault("strict_journal", [])


def _recovers_since(table: Table) -> float | None:
    """The first moment that a table can be restored to; None without point-in-time recovery."""
    recovery = table.continuous_backups["PointInTimeRecoveryDescription"]
    return float(recovery["EarliestRestorableDateTime"]) if recovery["PointInTimeRecoveryStatus"] == "ENABLED" else None


class InvalidRestoreTime(JsonRESTError):
    def __init__(self, message: str) -> None:
        super().__init__(ERROR_TYPE_PREFIX + "InvalidRestoreTimeException", message)


def restore_tables_to_a_moment() -> None:
    """moto copies a table as it is now, and within its region alone. AWS's copy is of the moment, to the second, and may be elsewhere.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html (2026-11-30). AWS's latest moment is
    some five minutes ago; here it is now, so that a test need not wait.
    """
    known = {"SourceTableArn", "SourceTableName", "TargetTableName", "RestoreDateTime", "UseLatestRestorableTime"}

    def restore_table_to_point_in_time(handler: DynamoHandler) -> DynamoResult:
        body, backend = handler.body, handler.dynamodb_backend
        _refuse_unknown(body, known)
        home, name = backend, body.get("SourceTableName", "")
        if "SourceTableArn" in body:
            region, name = body["SourceTableArn"].split(":")[3], body["SourceTableArn"].rpartition("/")[2]
            home = dynamodb_backends[backend.account_id][region]
        source, target = home.tables.get(name), body["TargetTableName"]
        if source is None:
            raise TableNotFoundException(name)
        if target in backend.tables:
            raise TableAlreadyExistsException(target)
        since = _recovers_since(source)
        if since is None:
            raise PointInTimeRecoveryUnavailable(name)
        if ("RestoreDateTime" in body) == bool(body.get("UseLatestRestorableTime")):
            raise MockValidationException("One of RestoreDateTime and UseLatestRestorableTime is needed")
        moment = body["RestoreDateTime"].timestamp() if "RestoreDateTime" in body else time.time()
        if not int(since) <= moment <= time.time():
            raise InvalidRestoreTime("An invalid restore time was specified. RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime.")
        table = RestoredPITTable(target, account_id=backend.account_id, region=backend.region_name, source=source)
        for written, kept in reversed(_journal(source)):
            if written > moment:
                kept.restore(into=table)
        backend.tables[target] = _as_restored(table, source)
        return DynamoResult(table.describe())

    def restore_table_from_backup(handler: DynamoHandler) -> DynamoResult:
        body, backend = handler.body, handler.dynamodb_backend
        _refuse_unknown(body, {"BackupArn", "TargetTableName"})
        target = body["TargetTableName"]
        if target in backend.tables:
            raise TableAlreadyExistsException(target)
        backup = backend.get_backup(body["BackupArn"])
        table = RestoredTable(target, account_id=backend.account_id, region=backend.region_name, backup=backup)
        backend.tables[target] = _as_restored(table, backup.table)
        return DynamoResult(table.describe())

    DynamoHandler.restore_table_to_point_in_time = restore_table_to_point_in_time
    DynamoHandler.restore_table_from_backup = restore_table_from_backup


def _refuse_unknown(body: dict, known: set[str]) -> None:
    unknown = body.keys() - known
    if unknown:
        raise MockValidationException(f"the emulator restores no table with {', '.join(sorted(unknown))}")


def _as_restored(table: Table, source: Table) -> Table:
    """How a table is billed goes with it; expiry, recovery and protection do not, as they are not of a new table."""
    table.billing_mode = source.billing_mode
    return table
