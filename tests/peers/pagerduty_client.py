"""The vendor's own Python client against the simulated PagerDuty, over TLS.

Usage: pagerduty_client.py URL TOKEN FILE

SSL_CERT_FILE names the authority that the client trusts. The client and the simulator were written by different people
from different sources, so what they agree on is likely to be what the service does. Each check below calls the client
and looks at what comes back. All records that the client read are written to FILE. The script ends with the number of
checks and the calls that were made; exit code 1 says that one of them failed.

The client counts by `total=true` and asks for a single ability; the simulated service knows neither, since nothing here
asks for them.
"""

import inspect
import json
import logging
import sys
from importlib.metadata import version

import pagerduty

# The client logs every refusal.
logging.disable(logging.CRITICAL)

URL, TOKEN, FILE = sys.argv[1:]
CHECKS = []
READ = {}


def connect(token=TOKEN):
    client = pagerduty.RestApiV2Client(token, base_url=URL)
    # Pauses between tries; the checks are about what happens after them.
    client.sleep_timer = 0.01
    return client


CLIENT = connect()


def check(function):
    CHECKS.append(function)
    return function


def same(found, wanted):
    assert found == wanted, f"expected {wanted!r}, found {found!r}"


def lists(what, page_size=None):
    """All records of a list, and how many requests it took."""
    before = CLIENT.api_call_counts.get(f"GET /{what}", 0)
    records = CLIENT.list_all(what, page_size=page_size)
    return records, CLIENT.api_call_counts[f"GET /{what}"] - before


def all_pages(what, refused=0):
    """A list whose first requests the service refuses with 429, so often; the client asks again."""
    records, asked = lists(what)
    pages = asked - refused
    assert pages > 1 and pages == -(-len(records) // 100), f"{len(records)} records in {pages} pages"
    READ[what] = records
    return records


def refused(call):
    try:
        result = call()
    except pagerduty.Error as error:
        return error
    raise AssertionError(f"a call that should fail gave {result!r}")


@check
def teams_are_read():
    teams = all_pages("teams")
    same(len({team["id"] for team in teams}), len(teams))
    assert all(team["type"] == "team" and team["name"] for team in teams), teams[0]


@check
def users_are_read():
    users = all_pages("users")
    same(len({user["id"] for user in users}), len(users))
    teams = {team["id"] for team in READ["teams"]}
    assert all(ref["type"] == "team_reference" and ref["id"] in teams for user in users for ref in user["teams"]), users[0]


@check
def services_are_read():
    services = all_pages("services", refused=2)
    assert {service["status"] for service in services} <= {"active", "warning", "critical", "maintenance", "disabled"}
    assert all(service["escalation_policy"]["type"] == "escalation_policy_reference" for service in services), services[0]


@check
def who_is_on_call_is_read():
    users = {user["id"] for user in READ["users"]}
    oncalls = all_pages("oncalls", refused=1)
    assert all(it["user"]["id"] in users and it["escalation_level"] >= 1 and "id" not in it for it in oncalls), oncalls[0]


@check
def smaller_pages_hold_the_same():
    users, pages = lists("users", 30)
    same((users, pages), (READ["users"], -(-len(users) // 30)))


@check
def a_page_says_where_it_stands():
    page = CLIENT.get("/users", params={"limit": 7, "offset": 14}).json()
    same([page[key] for key in ("limit", "offset", "more", "total")], [7, 14, True, None])
    same(page["users"], READ["users"][14:21])
    # The service's own size of a page.
    same((len(CLIENT.get("/users").json()["users"]), CLIENT.get("/users").json()["limit"]), (25, 25))
    same(CLIENT.get("/users", params={"limit": 500}).json()["limit"], 100)


@check
def a_user_is_found_by_address():
    same(CLIENT.find("users", READ["users"][42]["email"].upper(), attribute="email"), READ["users"][42])
    same(CLIENT.find("users", "nobody@harborclinic.example", attribute="email"), None)


@check
def abilities_are_a_list_of_names():
    assert "teams" in CLIENT.rget("/abilities")


@check
def a_list_ends_at_ten_thousand():
    error = CLIENT.get("/users", params={"limit": 100, "offset": 9901})
    same((error.status_code, error.json()["error"]["code"]), (400, 2001))


@check
def a_wrong_key_is_told():
    error = refused(lambda: connect("wrong").list_all("users"))
    assert isinstance(error, pagerduty.HttpError), repr(error)
    same((error.response.status_code, error.response.json()["error"]["code"]), (401, 2006))


@check
def an_unknown_path_is_told():
    error = refused(lambda: CLIENT.rget("/users/PNOBODY"))
    same((error.response.status_code, error.response.json()["error"]["code"]), (404, 2100))


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
    calls = sorted(CLIENT.api_call_counts)
    print(json.dumps({"client": version("pagerduty"), "checks": len(CHECKS), "failed": failed, "calls": calls}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
