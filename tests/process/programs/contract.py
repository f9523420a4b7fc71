"""A product with a contract: seats and credits. Argument: configuration.

Lines: `out N` takes N seats one by one and says their numbers; `in` returns the oldest and says how many are left;
`draw N` books N credits and says `true`, or the code of the error; `draws N TIMES THREADS` books N credits TIMES times
in each thread and says how many were booked; `hurry N` is `draw N` with little patience; `fork` has a child take a seat, return and end, and says what the child
and then the parent hold; `account`; `shutdown` says what was returned.
"""

import json
import os
import sys
import threading
from datetime import timedelta

import mpguard

guard = mpguard.init(**json.loads(sys.argv[1]))
seats: list[mpguard.Seat] = []
PATIENCE = timedelta(seconds=10)


def say(value: object) -> None:
    print(json.dumps(value), flush=True)


def draw(quantity: int, timeout: timedelta = PATIENCE) -> object:
    try:
        guard.draw_down("Credits", quantity, timeout)
    except mpguard.Error as error:
        return error.code
    return True


def draws(quantity: int, times: int, threads: int) -> int:
    booked: list[int] = []

    def work() -> None:
        booked.append(sum(quantity for _ in range(times) if draw(quantity) is True))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(booked)


def fork() -> object:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        held = [seat.held for seat in seats]
        with guard.check_out("Seats", timeout=PATIENCE) as seat:
            held.append(seat.held)
        seats.clear()  # a child's copies return nothing
        guard.shutdown(timedelta(seconds=5))
        os.write(write, json.dumps(held).encode())
        os._exit(0)
    os.close(write)
    with open(read) as pipe:
        told = json.loads(pipe.read())
    os.waitpid(child, 0)
    return [told, [seat.held for seat in seats]]


say({"pid": os.getpid()})
for line in sys.stdin:
    word, *numbers = line.split()
    match word:
        case "out":
            for _ in range(int(numbers[0])):
                seats.append(guard.check_out("Seats", timeout=PATIENCE))
            say([seat.number for seat in seats])
        case "in":
            seats.pop(0).check_in()
            say(len(seats))
        case "draw":
            say(draw(int(numbers[0])))
        case "draws":
            say(draws(*map(int, numbers)))
        case "hurry":
            say(draw(int(numbers[0]), timedelta(milliseconds=300)))
        case "fork":
            say(fork())
        case "account":
            say(next(each.to_dict() for each in guard.account() if each.dimension == "Credits"))
        case "shutdown":
            say(guard.shutdown(timedelta(seconds=20)).to_dict())
