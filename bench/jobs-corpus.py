"""Makes the input of bench/jobs.ts, and checks what came of it. Its own rules alone say what is right: nothing of the
daemon, the commands or the client is used here.

  jobs-corpus.py make FOLDER COUNT ISSUER AUDIENCE
  jobs-corpus.py check FOLDER COUNT        answers.ndjson and answers.ndjson.rejects
  jobs-corpus.py check-report FOLDER COUNT report.ndjson
"""
import gzip
import hashlib
import json
import os
import sys
import time

TTL_SECONDS = 6 * 3600
UNKNOWN_EACH = 10  # numbers that end in 9 were never registered
LEAKED_EACH = 100  # numbers that end in 00 are revoked


def token(number):
    return "job-" + hashlib.sha256(b"jobs %d" % number).hexdigest()[:39]


def is_registered(number):
    return number % UNKNOWN_EACH != UNKNOWN_EACH - 1


def is_leaked(number):
    return number % LEAKED_EACH == 0


def make(folder, count, issuer, audience):
    now = int(time.time())
    rest = ',"claims":{"iss":%s,"aud":[%s],"client_id":"web-shop","scope":"orders.read orders.write",' % (
        json.dumps(issuer),
        json.dumps(audience),
    ) + '"iat":%d,"exp":%d,"token_use":"access_token",' % (now, now + TTL_SECONDS)
    with open(os.path.join(folder, "tokens.txt"), "w") as tokens, open(
        os.path.join(folder, "leaked.txt"), "w"
    ) as leaked, gzip.open(os.path.join(folder, "import.ndjson.gz"), "wt", compresslevel=1) as entries:
        for number in range(count):
            text = token(number)
            tokens.write(text + "\n")
            if is_leaked(number) or number % LEAKED_EACH == UNKNOWN_EACH - 1:
                leaked.write(text + "\n")
            if is_registered(number):
                entries.write('{"token":"%s"%s"sub":"user-%d","jti":"jti-%d"}}\n' % (text, rest, number, number))


def check(folder, count):
    """Every line once, in whatever order, and as it must be."""
    seen = bytearray(count)
    with open(os.path.join(folder, "answers.ndjson")) as answers:
        for text in answers:
            answer = json.loads(text)
            number = answer["line"] - 1
            fail_unless(seen[number] == 0, "answered twice", number)
            seen[number] = 1
            expected = is_registered(number) and not is_leaked(number)
            fail_unless(answer["active"] is expected, "wrong", number)
            if expected:
                fail_unless(answer["claims"]["sub"] == "user-%d" % number, "of another token", number)
            else:
                fail_unless("claims" not in answer, "says too much", number)
    fail_unless(sum(seen) == count, "not answered", seen.find(0))
    fail_unless(os.path.getsize(os.path.join(folder, "answers.ndjson.rejects")) == 0, "rejected", -1)


def check_report(folder, count):
    """Revoked is what was active, and nothing else."""
    leaked = [n for n in range(count) if is_leaked(n) or n % LEAKED_EACH == UNKNOWN_EACH - 1]
    with open(os.path.join(folder, "report.ndjson")) as report:
        rows = [json.loads(text) for text in report]
    fail_unless(len(rows) == len(leaked), "not one row for each", len(rows))
    for index, (row, number) in enumerate(zip(rows, leaked)):
        fail_unless(row["line"] == index + 1, "out of order", index)
        fail_unless(row["revoked"] is is_leaked(number), "wrong", number)


def fail_unless(condition, what, number):
    if not condition:
        sys.exit("%s: number %d" % (what, number))


if __name__ == "__main__":
    action, where, size, *others = sys.argv[1:]
    if action == "make":
        make(where, int(size), *others)
    elif action == "check":
        check(where, int(size))
    elif action == "check-report":
        check_report(where, int(size))
    else:
        sys.exit(__doc__)
