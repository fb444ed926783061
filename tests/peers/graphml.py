"""networkx reads an exported graph.

Usage: graphml.py GRAPHML EXPECTED

EXPECTED is JSON: nodes with `id` and `fields`, edges with `source`, `target` and `fields`. The script ends with how many
values agreed and what did not; exit code 1 says that something did not.
"""

import json
import re
import sys
import warnings

import networkx

warnings.simplefilter("error")


def plain(text):
    """The text, with characters that XML cannot hold, which stand as `_xHHHH_` as in ECMA-376."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def told(value):
    """A value as it was read, and its type, since Python takes True for 1."""
    return (type(value).__name__, plain(value) if isinstance(value, str) else value)


def wanted(value):
    """What should be read: lists, and whole numbers of more than 64 bits, are JSON text."""
    if isinstance(value, list) or (isinstance(value, int) and value >= 2**63):
        return ("str", json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return (type(value).__name__, value)


def compare(what, fields, found, failures):
    fields = {name: wanted(value) for name, value in fields.items() if value is not None}
    found = {plain(name): told(value) for name, value in found.items()}
    for name in sorted({*fields, *found}):
        if fields.get(name) != found.get(name):
            failures.append(f"{what!r} {name!r}: wanted {fields.get(name)!r}, read {found.get(name)!r}")
    return len(fields)


def main(graphml, expected):
    graph = networkx.read_graphml(graphml, force_multigraph=True)
    with open(expected, encoding="utf-8") as file:
        expected = json.load(file)
    failures, values = [], 0
    if not graph.is_directed():
        failures.append("the edges have no direction")
    nodes = {plain(id): fields for id, fields in graph.nodes(data=True)}
    if set(nodes) != {node["id"] for node in expected["nodes"]}:
        failures.append(f"nodes: {sorted(nodes)}")
    for node in expected["nodes"]:
        values += compare(node["id"], node["fields"], nodes.get(node["id"], {}), failures)
    edges = {(plain(a), plain(b), plain(fields["_key"])): fields for a, b, fields in graph.edges(data=True)}
    if len(edges) != graph.number_of_edges() or len(edges) != len(expected["edges"]):
        failures.append(f"edges: {sorted(edges)}")
    for edge in expected["edges"]:
        ends = (edge["source"], edge["target"], edge["fields"]["_key"])
        values += compare(ends, edge["fields"], edges.get(ends, {}), failures)
    print(json.dumps({"nodes": len(nodes), "edges": len(edges), "values": values, "failures": failures}))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
