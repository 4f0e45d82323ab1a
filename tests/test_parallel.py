"""Several pictures at once: order, a bounded number of them, and an end of all work."""

import threading
import time
from contextlib import closing

import pytest

from lesion.parallel import Budget, in_order, pictures_at_once


def test_results_come_in_order_whatever_takes_longest():
    def work(number):
        time.sleep(0.01 * (number % 3))
        return number

    assert list(in_order(work, range(20))) == list(range(20))


def test_no_more_is_begun_than_can_be_held():
    begun = []
    for taken, _ in enumerate(in_order(begun.append, iter(range(50)))):
        assert len(begun) <= taken + 1 + pictures_at_once()
    assert len(begun) == 50


def test_an_error_ends_it_in_its_turn_and_nothing_goes_on():
    done = []

    def work(number):
        time.sleep(0.01 * (number == 2))
        if number in (2, 3):
            raise ValueError(f"number {number}")
        done.append(number)

    before = threading.active_count()
    with pytest.raises(ValueError, match="number 2"):
        list(in_order(work, range(1000)))
    assert threading.active_count() == before
    assert len(done) <= 2 + pictures_at_once()


def test_who_stops_early_waits_for_what_was_begun():
    begun, done = [], []

    def work(number):
        begun.append(number)
        time.sleep(0.01)
        done.append(number)

    with closing(in_order(work, range(1000))) as results:
        next(results)
    assert sorted(begun) == sorted(done)
    assert len(done) <= 2 + pictures_at_once()


def test_a_budget_is_never_overdrawn_and_what_is_too_large_works_alone():
    budget, used, most = Budget(10), [], []

    def work(amount):
        with budget.use(amount):
            used.append(amount)
            most.append(list(used))
            time.sleep(0.002)
            used.remove(amount)

    threads = [threading.Thread(target=work, args=(amount,)) for amount in (4, 5, 3, 99, 6, 1, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 7
    assert all(sum(amounts) <= 10 or amounts == [99] for amounts in most)
