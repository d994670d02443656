"""What can go wrong, as a tree.

    MtsbenchError
    ├── PluginError                a plugin broke its side of the contract
    │   ├── PluginConflictError    two plugins announce one name
    │   └── UnknownComponentError  no installed plugin announces this name
    ├── OptionError                the user set an option that does not exist or does not fit
    ├── MissingPackageError        an optional package is not installed
    ├── DataError                  a file, a case or a cohort cannot be used
    │   ├── DamagedFileError       a file of a run is not what was written
    │   └── DamagedEntryError      a file of a cache entry is not what was written
    ├── NotFittedError             predict or save was called before fit
    ├── CheckpointError            a stored model is damaged or of another kind
    ├── UndefinedMetricError       the data leave a metric without a value
    │   └── MonotoneLikelihoodError    covariates separate earlier from later events
    └── IncomparableRunsError      two runs did not answer the same question

Every message says what was found, what was expected, and what to do next.
"""


class MtsbenchError(Exception):
    """Anything mtsbench reports to the user in one line."""


def one_line(error: BaseException) -> str:
    """What an error says, in one line; with its type unless mtsbench raised it for the user."""
    text = " ".join(str(error).split())
    if isinstance(error, MtsbenchError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class PluginError(MtsbenchError):
    """A plugin broke its side of the contract."""


class PluginConflictError(PluginError):
    """Two plugins announce one component name; a result must have one author."""


class UnknownComponentError(PluginError):
    """No installed plugin announces this component."""


class OptionError(MtsbenchError):
    """An option does not exist or its value does not fit."""


class MissingPackageError(MtsbenchError):
    """An optional package is not installed."""


class DataError(MtsbenchError):
    """A file, a case or a cohort cannot be used."""


class DamagedFileError(DataError):
    """A file of a run is not what was written."""


class DamagedEntryError(DataError):
    """A file of a cache entry is not what was written."""


class NotFittedError(MtsbenchError):
    """A model was asked to predict or to be saved before it was fitted."""


class CheckpointError(MtsbenchError):
    """A stored model is damaged, incomplete or of another kind."""


class UndefinedMetricError(MtsbenchError, ValueError):
    """The data leave a metric without a value; the message is the reason to report."""


class MonotoneLikelihoodError(UndefinedMetricError):
    """Covariates separate earlier from later events, so a coefficient would be infinite.

    Source: the term is that of Heinze & Schemper, Biometrics 57 (2001) 114.
    """


class IncomparableRunsError(MtsbenchError):
    """Two runs differ in something that makes their scores incomparable."""
