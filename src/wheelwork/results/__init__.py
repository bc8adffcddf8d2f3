"""Results: observables declared once, their errors, and the audit.

The declaration of an observable provides the property, the entries of `observables` and
`errors`, the labels of tables and figures, the variable of the dataset and the printout.
"""

from wheelwork._printing import html_table, with_error
from wheelwork.numerics.labelled import Label, attributes
from wheelwork.results.audit import AuditEntry, verdict, warn_outside_validity, worst
from wheelwork.results.observable import UNAVAILABLE, Labels, Observable, entry, observable
from wheelwork.results.result import Result, Summary
from wheelwork.results.series import Series

__all__ = [
    "UNAVAILABLE",
    "AuditEntry",
    "Label",
    "Labels",
    "Observable",
    "Result",
    "Series",
    "Summary",
    "attributes",
    "entry",
    "html_table",
    "observable",
    "verdict",
    "warn_outside_validity",
    "with_error",
    "worst",
]
