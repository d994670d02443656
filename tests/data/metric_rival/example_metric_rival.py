from mtsbench.components import Component
from mtsbench.hookspecs import hookimpl


class Own:
    higher_is_better = True

    def within_fold(self, predictions, test, train):
        raise NotImplementedError


@hookimpl
def mtsbench_metrics():
    yield Component(name="own-c", summary="x", build=Own, reference="https://example.org/")
