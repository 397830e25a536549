"""A stand-in for the PowerShell Exchange worker, in Python.

It has the same contract, and calls the stand-in tenant's Exchange.
"""

from sandbox.worker.answer import answer
from sandbox.worker.exchange import ExchangeCalls
from sandbox.worker.reads import read
from sandbox.worker.sweep import sweep

__all__ = ["ExchangeCalls", "answer", "read", "sweep"]
