"""mtsbench: joint survival prediction and tumour segmentation models, compared fairly.

For plugin authors: `mtsbench.hookspecs` (what to announce), `mtsbench.components` (the records
to announce it with), `mtsbench.interfaces` (what a component must do), `mtsbench.data` (what
flows) and `mtsbench.composition` (deep models made of parts). Everything else is internal.
"""

__version__ = "0.1.0"
