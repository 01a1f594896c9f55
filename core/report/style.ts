/** Colours of meaning are the console's; lines of comparisons are told apart by dashes too. */
const LIGHT = `--page:#f4f5f6;--surface:#fff;--sunken:#eaebed;--border:#d7d9dd;--text:#1a1c1f;--muted:#565c66;--accent:#5a3fc0;
--good:#0b6b4c;--bad:#b3261e;--read:#1f77b8;--wait:#b8478c;--compute:#0b7a57;--ring:#3b8fc4;
--c0:#1f77b8;--c1:#b5571f;--c2:#0b7a57;--c3:#b8478c;--c4:#6d57b8;--c5:#7d6500;--c6:#2b8c9e;--c7:#613425;`;
const DARK = `--page:#141619;--surface:#1c1f23;--sunken:#272b30;--border:#3a3f46;--text:#e8eaed;--muted:#a5acb6;--accent:#a996ff;
--good:#56c99b;--bad:#ff8a80;--read:#62b0e8;--wait:#e58cc4;--compute:#4cc49a;--ring:#7cc0ea;
--c0:#62b0e8;--c1:#ee9a66;--c2:#4cc49a;--c3:#e58cc4;--c4:#b3a1f5;--c5:#d3b63f;--c6:#6fcfe0;--c7:#d9a48f;`;

const SERIES = Array.from({ length: 8 }, (_none, index) => `.c${index}{--c:var(--c${index})}`).join('');

/** The whole style sheet of a report. */
export const STYLE = `:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main,header.top{max-width:960px;margin:0 auto;padding:0 24px}
header.top{padding-top:36px}
.kind{color:var(--muted);font-size:13px;margin:0}
h1{font-size:26px;line-height:1.25;margin:2px 0 6px;letter-spacing:-.01em;overflow-wrap:anywhere}
.lead{margin:0;color:var(--muted);max-width:70ch;overflow-wrap:anywhere}
section{background:var(--surface);border:1px solid var(--border);border-radius:8px;padding:18px 22px 20px;margin:18px 0}
h2{font-size:16px;margin:0 0 10px;letter-spacing:-.005em}
h3{font-size:13px;margin:18px 0 6px}
section>:last-child{margin-bottom:0}
p{margin:0 0 10px;max-width:76ch}
dl+.note,.scroll+.note{margin:12px 0 0}
.note{color:var(--muted);font-size:13px}
dl.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:14px 20px;margin:0}
dl.figures div{min-width:0}
dt{color:var(--muted);font-size:12px}
dd{margin:0;overflow-wrap:anywhere;unicode-bidi:isolate}
dl.figures dd{font-size:18px;font-weight:600;line-height:1.3}
dl.figures .wide dd{font-size:14px;font-weight:400}
dl.facts{display:grid;grid-template-columns:minmax(120px,max-content) 1fr;gap:4px 18px;margin:0}
dl.facts dt{font-size:13px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13px}
caption{text-align:left;color:var(--muted);padding:0 0 6px}
th,td{padding:4px 14px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--border);overflow-wrap:break-word;unicode-bidi:isolate;max-width:36ch}
th{color:var(--muted);font-weight:500;font-size:12px;vertical-align:bottom}
tbody th{color:var(--text);font-weight:400;font-size:13px}
th:last-child,td:last-child{padding-right:0}
.n{text-align:right;white-space:nowrap}
tbody tr:last-child>*{border-bottom:0}
.differs{font-weight:600}
code,.mono,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12.5px}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:12px 14px;background:var(--sunken);border-radius:6px;unicode-bidi:isolate}
.met{color:var(--good);font-weight:600;white-space:nowrap}
.missed{color:var(--bad);font-weight:600;white-space:nowrap}
.failure{color:var(--bad)}
figure{margin:14px 0 4px}
figcaption{font-size:13px;font-weight:600;margin:0 0 2px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;margin:2px 0 6px;padding:0;font-size:12px;color:var(--muted)}
.legend li{display:flex;align-items:center;gap:6px;min-width:0;overflow-wrap:anywhere}
.legend svg{flex:none;width:22px;height:10px}
svg{display:block;max-width:100%}
svg.plot{width:100%;height:auto}
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--muted);font-variant-numeric:tabular-nums}
svg text.halo{paint-order:stroke;stroke:var(--surface);stroke-width:4px;stroke-linejoin:round}
svg text.value{fill:var(--text)}
svg text.inside{fill:#fff;font-size:10px}
.grid{stroke:var(--border);stroke-width:1}
.axis{stroke:var(--muted);stroke-width:1}
.line{fill:none;stroke:var(--c);stroke-width:1.75;stroke-linejoin:round}
.dash1{stroke-dasharray:7 3}.dash2{stroke-dasharray:2 3}.dash3{stroke-dasharray:9 3 2 3}
.band{fill:var(--c);opacity:.14}
.dot{fill:var(--surface);stroke:var(--c);stroke-width:1.75}
.dot.here{fill:var(--accent);stroke:var(--surface)}
.spread{stroke:var(--c);stroke-width:1.25}
.bar{fill:var(--c)}
.rule{stroke:var(--muted);stroke-width:1;stroke-dasharray:4 3}
.lane{fill:var(--sunken)}
.read{fill:var(--read)}.wait{fill:var(--wait)}.compute{fill:var(--compute)}
.ring{fill:var(--ring);opacity:.3}.ringline{fill:none;stroke:var(--ring);stroke-width:1}
.goodbar{fill:var(--good)}.badbar{fill:var(--bad)}.track{fill:var(--sunken)}.goal{stroke:var(--text);stroke-width:1.5}
${SERIES}
details{margin:6px 0 2px;font-size:13px}
summary{cursor:pointer;color:var(--muted);width:max-content;max-width:100%}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
footer{max-width:960px;margin:0 auto;padding:4px 24px 40px;color:var(--muted);font-size:12px}
@media (max-width:640px){main,header.top,footer{padding-left:14px;padding-right:14px}section{padding:14px}}
@media (prefers-color-scheme:dark){svg text.inside{fill:#0c0d0f}}
@page{size:A4;margin:14mm 13mm 16mm}
@media print{:root{color-scheme:light;${LIGHT}}svg text.inside{fill:#fff}
body{background:#fff;font-size:10.5pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main,header.top,footer{max-width:none;padding-left:0;padding-right:0}header.top{padding-top:0}
section{border:0;border-top:1px solid var(--border);border-radius:0;padding:12px 0 4px;margin:10px 0 0}
figure,tr,dl.figures div,.keep{break-inside:avoid}h2,h3,figcaption{break-after:avoid}thead{display:table-header-group}
.scroll{overflow:visible}table{font-size:8.5pt}th,td{padding-right:8px}th{font-size:8pt}tbody th{font-size:8.5pt}details,footer{display:none}}
`;
