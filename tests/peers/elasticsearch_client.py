"""The vendor's own Python client against a search engine and against the simulated Elasticsearch, after our sink wrote to both.

Usage: elasticsearch_client.py ENGINE SIMULATED KEY STREAM INDEX FILE

ENGINE is a server that speaks the protocol and holds documents in INDEX; it takes the client for what it is, but knows plain
media types only, so those are what is sent to it. SIMULATED is opened by the API key KEY; the same documents are in its data
stream STREAM and its index INDEX. All documents that the client read from ENGINE are written to FILE. The script ends with
the number of checks; exit code 1 says that one of them failed.
"""

import inspect
import json
import logging
import sys
from importlib.metadata import version

import elasticsearch
from elastic_transport import Urllib3HttpNode
from elasticsearch import Elasticsearch, helpers

# The client logs every refusal.
logging.disable(logging.CRITICAL)

ENGINE, SIMULATED, KEY, STREAM, INDEX, FILE = sys.argv[1:]
PEER = STREAM.rsplit("-", 1)[0] + "-peer"
TRANSFORM = "logs-jupiter_one.latest_risks_and_alerts-connectome"
POLICY = "logs-jupiter_one.risks_and_alerts-default_policy"
CHECKS = []
READ = []


class Plain(Urllib3HttpNode):
    """Sends plain media types, to a server that knows no others."""

    def perform_request(self, method, target, body=None, headers=None, **rest):
        headers["accept"] = "application/json"
        if body is not None:
            headers["content-type"] = "application/json"
        return super().perform_request(method, target, body=body, headers=headers, **rest)


ENGINE_CLIENT = Elasticsearch(ENGINE, node_class=Plain, max_retries=0)
CLIENT = Elasticsearch(SIMULATED, api_key=KEY, max_retries=0)


def check(function):
    CHECKS.append(function)
    return function


def same(found, wanted):
    assert found == wanted, f"expected {wanted!r}, found {found!r}"


def refused(kind, call, reason):
    try:
        result = call()
    except kind as error:
        assert reason in str(error), f"{reason!r} is not in {error}"
        return error
    raise AssertionError(f"a call that should fail gave {result!r}")


def by_id(hits):
    return {hit["_id"]: hit["_source"] for hit in hits["hits"]["hits"]}


@check
def the_engine_gives_every_document():
    READ.extend(hit["_source"] for hit in helpers.scan(ENGINE_CLIENT, index=INDEX))
    assert len(READ) == ENGINE_CLIENT.count(index=INDEX)["count"] > 1, len(READ)
    found = ENGINE_CLIENT.search(index=INDEX, query={"term": {"event.id": READ[0]["event"]["id"]}})
    same([hit["_source"] for hit in found["hits"]["hits"]], READ[:1])


@check
def the_simulated_service_is_taken_for_what_it_simulates():
    info = CLIENT.info()
    same(info["tagline"], "You Know, for Search")
    same(info.meta.headers["content-type"], "application/vnd.elasticsearch+json;compatible-with=9")


@check
def what_was_stored_is_found_and_counted():
    found = CLIENT.search(index=STREAM, query={"match_all": {}}, size=100)
    key = lambda document: document["event"]["id"]
    same(sorted(by_id(found).values(), key=key), sorted(READ, key=key))
    same(found["hits"]["total"]["value"], len(READ))
    same(CLIENT.count(index=STREAM)["count"], len(READ))
    same(len(CLIENT.search(index="logs-jupiter_one.*", query={"match_all": {}}, size=3)["hits"]["hits"]), 3)
    alerts = CLIENT.count(index=STREAM, query={"term": {"jupiter_one.asset.entity._class": "Alert"}})
    same(alerts["count"], 2)
    # No document says it, and every one has it.
    for value, count in (("true", len(READ)), ("false", 0)):
        same(CLIENT.count(index=STREAM, query={"term": {"labels.is_transform_source": value}})["count"], count)


@check
def a_document_is_read_by_its_id():
    for name, document in by_id(CLIENT.search(index=INDEX, size=100)).items():
        same(CLIENT.get(index=INDEX, id=name)["_source"], document)
    refused(elasticsearch.NotFoundError, lambda: CLIENT.get(index=INDEX, id="nobody"), "nobody")
    refused(elasticsearch.NotFoundError, lambda: CLIENT.get(index="nowhere", id="x"), "index_not_found")
    refused(elasticsearch.BadRequestError, lambda: CLIENT.get(index=STREAM, id="x"), "data stream")


@check
def documents_are_created_in_bulk_and_once():
    actions = [{"_op_type": "create", "_index": PEER, "_id": it["event"]["id"], "_source": it} for it in READ]
    same(helpers.bulk(CLIENT, actions, require_data_stream=True), (len(READ), []))
    done, errors = helpers.bulk(CLIENT, actions, raise_on_error=False)
    same((done, [it["create"]["status"] for it in errors]), (0, [409] * len(READ)))
    same(CLIENT.count(index=PEER)["count"], len(READ))


@check
def what_a_data_stream_does_not_take_is_refused_document_by_document():
    good = {"@timestamp": "2026-02-05T08:00:00.000Z"}
    cases = [
        ({"_op_type": "index", "_index": PEER, "_source": good}, "index", 400, "op_type of create"),
        ({"_op_type": "create", "_index": PEER, "_source": {}}, "create", 400, "@timestamp"),
        ({"_op_type": "create", "_index": PEER, "_source": {**good, "event": {"created": "never"}}}, "create", 400, "event.created"),
        ({"_op_type": "create", "_index": "nowhere", "_source": good}, "create", 404, "require_data_stream"),
    ]
    done, errors = helpers.bulk(CLIENT, [case[0] for case in cases], raise_on_error=False, require_data_stream=True)
    same((done, len(errors)), (0, len(cases)))
    for error, (_, verb, status, reason) in zip(errors, cases):
        same(error[verb]["status"], status)
        assert reason in error[verb]["error"]["reason"], error
    error = refused(helpers.BulkIndexError, lambda: helpers.bulk(CLIENT, [cases[1][0]]), "1 document")
    same(error.errors[0]["create"]["error"]["type"], "document_parsing_exception")


@check
def a_lifecycle_policy_is_read_put_and_removed():
    policy = CLIENT.ilm.get_lifecycle(name=POLICY)[POLICY]["policy"]
    same(policy["phases"]["hot"]["actions"]["rollover"]["max_age"], "30d")
    same(policy["_meta"]["managed_by"], "connectome")
    CLIENT.ilm.put_lifecycle(name="peer", policy={"phases": {}})
    same(CLIENT.ilm.get_lifecycle(name="peer")["peer"]["policy"], {"phases": {}})
    refused(elasticsearch.BadRequestError, lambda: CLIENT.ilm.delete_lifecycle(name=POLICY), "in use")
    refused(elasticsearch.NotFoundError, lambda: CLIENT.ilm.get_lifecycle(name="nobody"), "nobody")


@check
def templates_are_read_put_and_removed():
    name = STREAM.rsplit("-", 1)[0]
    template = CLIENT.indices.get_index_template(name=name)["index_templates"][0]["index_template"]
    same((template["index_patterns"], template["data_stream"]), ([name + "-*"], {}))
    component = template["composed_of"][0]
    found = CLIENT.cluster.get_component_template(name=component)["component_templates"][0]["component_template"]
    same(found["template"]["settings"]["index.lifecycle.name"], POLICY)
    put = lambda part: CLIENT.indices.put_index_template(name="peer", index_patterns=["peer-*"], composed_of=[part])
    refused(elasticsearch.BadRequestError, lambda: put("peer"), "do not exist")
    CLIENT.cluster.put_component_template(name="peer", template={"mappings": {"properties": {"n": {"type": "long"}}}})
    same(put("peer").body, {"acknowledged": True})
    refused(elasticsearch.BadRequestError, lambda: CLIENT.cluster.delete_component_template(name="peer"), "in use")
    CLIENT.indices.delete_index_template(name="peer")
    CLIENT.cluster.delete_component_template(name="peer")
    refused(elasticsearch.NotFoundError, lambda: CLIENT.indices.get_index_template(name="peer"), "peer")


@check
def a_transform_is_started_and_stopped():
    state = lambda: CLIENT.transform.get_transform_stats(transform_id=TRANSFORM)["transforms"][0]["state"]
    transform = CLIENT.transform.get_transform(transform_id=TRANSFORM)["transforms"][0]
    same((transform["id"], transform["latest"]["sort"], state()), (TRANSFORM, "@timestamp", "started"))
    again = lambda: CLIENT.transform.put_transform(transform_id=TRANSFORM, source={"index": "a"}, dest={"index": "b"})
    refused(elasticsearch.BadRequestError, again, "already exists")
    refused(elasticsearch.ConflictError, lambda: CLIENT.transform.start_transform(transform_id=TRANSFORM), "already started")
    CLIENT.transform.stop_transform(transform_id=TRANSFORM, wait_for_completion=True)
    same(state(), "stopped")
    CLIENT.transform.start_transform(transform_id=TRANSFORM)
    same(state(), "started")


@check
def a_search_that_is_not_understood_is_told():
    refused(elasticsearch.BadRequestError, lambda: CLIENT.search(index=STREAM, query={"fuzzy": {"a": "b"}}), "unknown query")
    refused(elasticsearch.NotFoundError, lambda: CLIENT.search(index="nowhere"), "index_not_found_exception")


@check
def a_wrong_key_is_told():
    stranger = Elasticsearch(SIMULATED, api_key="wrong", max_retries=0)
    refused(elasticsearch.AuthenticationException, stranger.info, "security_exception")


def main():
    failed = 0
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok: {name}")
        except Exception as error:  # Whatever it is, the check's name belongs to it.
            line = next((frame.lineno for frame in inspect.trace() if frame.function == function.__name__), 0)
            print(f"FAILED: {name} (line {line}): {type(error).__name__}: {str(error)[:2000]}")
            failed += 1
    with open(FILE, "w", encoding="utf-8") as file:
        json.dump(READ, file)
    print(json.dumps({"client": version("elasticsearch"), "checks": len(CHECKS), "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
