from mtsbench.components import ModelComponent
from mtsbench.hookspecs import hookimpl


@hookimpl
def mtsbench_model():
    yield ModelComponent(
        name="never-seen", summary="x", build=lambda: None, reference="https://example.org/"
    )
