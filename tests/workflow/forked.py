"""A Python that doesn't start but forks, from a process that has imported libraries, and nothing of featprune.

Imports take most of the time of a dry run, and of a job of the tests' tiny study. Where a program that runs so starts
Python itself, as Snakemake does for each job, that is such a fork, too.
"""

import gc
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

LIBRARIES = (
    "jsonschema",
    "numba",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "scipy.optimize",
    "seaborn",
    "sklearn.datasets",
    "snakemake.cli",
    "statsmodels.stats.multitest",
    "statsmodels.stats.power",
    "torch",
)


@cache
def python() -> list[str]:
    """The command: it takes a program's file, or `-m` and a module, and arguments. Until this process ends it works."""
    address = f"{mkdtemp()}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        descriptor = listener.fileno()
        command = [sys.executable, __file__, "--serve", str(descriptor), address]
        # A pipe that closes when this process ends, however it does.
        _server.append(subprocess.Popen(command, pass_fds=[descriptor], stdin=subprocess.PIPE))
    return _command(address)


_server: list[subprocess.Popen] = []


def _command(address: str) -> list[str]:
    return [sys.executable, "-S", "-E", __file__, address]


def _launch(address: str, *arguments: str) -> int:
    """Have a program run with the arguments, files, folder and environment of this process; returns its exit code."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [b"."], [0, 1, 2])
        connection.sendall(json.dumps([arguments, str(Path.cwd()), dict(os.environ)]).encode())
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(1)[0]


def _serve(descriptor: str, address: str) -> None:
    """Have a fork look after each that connects, until the process that started this one ends."""
    from importlib import import_module
    from select import select
    from shutil import rmtree

    sys.path.pop(0)
    for library in LIBRARIES:
        import_module(library)
    gc.freeze()  # else the first collection in each fork copies all that it looks at
    sys.executable = shlex.join(_command(address))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=int(descriptor)) as listener:
        while sys.stdin not in select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if not os.fork():
                    listener.close()
                    _look_after(connection)
                    os._exit(0)
    rmtree(Path(address).parent)


def _look_after(connection: socket.socket) -> None:
    """Run a program in one more fork, and tell its exit code."""
    from multiprocessing import get_context

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, descriptors, *_ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as file:
        program = get_context("fork").Process(target=_run, args=(descriptors, *json.load(file)))
    program.start()
    program.join()
    connection.sendall(bytes([program.exitcode % 256]))


def _run(descriptors: list[int], arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Become the program."""
    import runpy

    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        _serve(*sys.argv[2:])
    else:
        sys.exit(_launch(*sys.argv[1:]))
