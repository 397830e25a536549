"""Runs a program that must not outlive its parent: `python leash.py PARENT_PID PROGRAM ARGS…`.

On Linux the kernel kills it when its parent ends, however that ends. Elsewhere it is ended by `Child.stop` only.
SIGINT gets its default effect back: a shell that starts something in the background has it ignored, children inherit
that, and then Ctrl-C ends nothing.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(sys.argv[1]):
            sys.exit("the parent ended first")
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 -- becomes the program; nothing is looked up in a shell
