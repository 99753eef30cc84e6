"""`kb up` with Redis as one more part that is kept running.

python -m tests.acceptance.chaos_site PORT WORKERS REDIS_PORT; REDIS_PORT 0: no Redis, the folder is the broker.
"""

import sys

import django

django.setup()

from django.conf import settings  # noqa: E402 - needs the set-up
from django.db import connection  # noqa: E402

from kb.postgres import EmbeddedPostgres  # noqa: E402
from kb.startup import migrate  # noqa: E402
from kb.supervisor import Part, Supervisor, parts  # noqa: E402


def main(port: int, workers: int, redis_port: int) -> None:
    wanted = parts(workers=workers, port=port)
    if redis_port:
        # Nothing is kept on disk: a Redis that is killed has lost everything.
        options = ["--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        wanted.insert(0, Part("redis", ["redis-server", *options, "--dir", str(settings.KB_HOME.root)]))

    def prepare() -> None:
        migrate()
        connection.close()

    supervisor = Supervisor(settings.KB_HOME, wanted, lambda line: print(line, file=sys.stderr, flush=True))
    supervisor.run(EmbeddedPostgres(settings.KB_HOME), facts={"port": port}, prepare=prepare)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
