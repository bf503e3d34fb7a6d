"""Clients that search all the while, and what they were answered."""

import threading
import time
from contextlib import closing
from typing import Self

from tests.support.service import Service, ask

CLIENTS = 4


class SearchLoad:
    """Keep-alive clients that search in a loop and note every answer that has not all `plans`."""

    def __init__(self, service: Service, plans: int) -> None:
        self.answers = 0
        self.failures: list[str] = []
        self._service = service
        self._plans = plans
        self._over = threading.Event()
        self._clients = [threading.Thread(target=self._search) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for client in self._clients:
            client.join()

    def _search(self) -> None:
        with closing(self._service.connect()) as connection:
            while not self._over.is_set():
                try:
                    answer = ask(connection, "/search")
                except OSError as error:
                    self.failures.append(repr(error))
                    return
                if answer.status != 200 or len(answer.plans) != self._plans:
                    self.failures.append(f"{answer.status} {answer.body[:200]!r}")
                self.answers += 1
                time.sleep(0.002)
