from mtsbench.components import Component
from mtsbench.hookspecs import hookimpl


class Favourable:
    higher_is_better = True

    def within_fold(self, predictions, test, train):
        raise NotImplementedError


@hookimpl
def mtsbench_metrics():
    yield Component(
        name="harrell-c", summary="x", build=Favourable, reference="https://example.org/"
    )
