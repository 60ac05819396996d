"""A section of the report: how much of each history the models were shown."""

from typing import Any

from wherefore.analysis.report.material import Material
from wherefore.analysis.report.section import Section

TEMPLATE = """
<div class="wide"><table>
<caption>Median lines of a history, by split.</caption>
<thead><tr><th scope="col">split</th><th scope="col">shown</th><th scope="col">recorded</th></tr></thead>
<tbody>{% for split, shown, recorded in rows %}
<tr><th scope="row">{{ split | words }}</th><td>{{ shown | number(0) }}</td><td>{{ recorded | number(0) }}</td></tr>
{% endfor %}</tbody></table></div>
"""


def lines(m: Material) -> dict[str, Any] | None:
    """What the template shows; None where there is nothing to show."""
    if m.cases.empty:
        return None
    median = m.cases.groupby("split")[["n_shown", "n_total"]].median()
    return {"rows": list(median.itertuples(name=None))}


LINES = Section(title="How much was shown", make=lines, template=TEMPLATE)
