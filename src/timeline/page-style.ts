/** Colours are told apart by lightness and pattern, too; the critical path has a line, waiting has stripes. */
export const style = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#59636e;--line:#d8dee4;--panel:#f6f8fa;--crit:#c8102e;--good:#0a7d33;--bad:#b3001b;--miss:#b45309;
--own:#b8c0ca;--wait:#eef1f4;--wait2:#d5dbe2;--image:#7aa7e0;--create:#a8d3c8;--start:#f2c46d;--hook:#c9a5e6;--ready:#8fd18b;--stop:#e3a596;--command:#cfc9a8;--ink:#14181d;
--lane-height:20px;--check-height:7px}
@media (prefers-color-scheme:dark){:root{--bg:#0f1318;--fg:#e4e9ef;--soft:#98a4b3;--line:#2c343d;--panel:#171d24;--crit:#ff6b7d;--good:#57c97a;--bad:#ff7b86;--miss:#e0a04a;
--own:#55606d;--wait:#1b222a;--wait2:#303a45;--image:#2f62a8;--create:#2c7264;--start:#8f6512;--hook:#70479a;--ready:#2c7a35;--stop:#8d4334;--command:#6b6640;--ink:#f4f7fa}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:14px/1.45 system-ui,sans-serif}
main{padding:16px clamp(10px,2vw,28px) 60px;max-width:2000px;margin:auto}
h1{font-size:1.25rem;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:22px 0 8px}
h3{margin:10px 0 2px;font-size:.95rem;overflow-wrap:anywhere}
small,.about{color:var(--soft);font-size:.85em}
.summary{font-size:1.15rem;margin:4px 0;max-width:75em;border-left:5px solid var(--good);padding-left:10px;overflow-wrap:anywhere}
.summary.failed{border-color:var(--bad)}
.summary.cancelled{border-color:var(--soft)}
.tools{display:flex;flex-wrap:wrap;gap:6px 18px;align-items:center;margin-bottom:8px}
.tools button{font:inherit;min-width:2em;padding:2px 8px;background:var(--panel);color:var(--fg);border:1px solid var(--line);border-radius:4px}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;list-style:none;padding:0;margin:0;font-size:.85em;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:5px}
.legend .bar{position:static;width:18px;height:11px;display:inline-block}
.legend .mark{position:static;height:11px;display:inline-block}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:6px;background:var(--bg)}
.plot{--zoom:1;width:calc(100% * var(--zoom));min-width:100%}
.row{display:flex;border-top:1px solid var(--line)}
.row:first-child{border-top:0}
.name{flex:none;width:13rem;position:sticky;left:0;z-index:3;background:var(--panel);border-right:1px solid var(--line);padding:2px 8px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;display:flex;gap:6px;justify-content:space-between;align-items:baseline}
.name b{font-weight:600;overflow:hidden;text-overflow:ellipsis;flex:0 1 auto}
.name small{overflow:hidden;text-overflow:ellipsis;flex:0 9999 auto}
.track{position:relative;flex:1;margin-right:12px;min-height:calc(var(--lanes,1) * var(--lane-height) + var(--checks,0) * var(--check-height) + 5px)}
.axis .track{height:22px;min-height:22px}
.axis{position:relative;color:var(--soft);font-size:.78em}
.tick{position:absolute;bottom:0;top:4px;border-left:1px solid var(--line);font-style:normal;white-space:nowrap}
.tick span{padding:0 3px;background:var(--bg)}
.tick.level2{display:none}
.fine .tick.level2{display:block}
.cut{position:absolute;top:0;bottom:0;overflow:hidden;white-space:nowrap;font-style:normal;background:repeating-linear-gradient(45deg,var(--panel) 0 5px,var(--line) 5px 6px);text-align:center;container-type:inline-size}
.cut span{display:none}
@container (min-width:90px){.cut span{display:inline}}
.bar{position:absolute;top:calc(var(--lane,0) * var(--lane-height) + 2px);height:calc(var(--lane-height) - 2px);min-width:2px;padding:0;margin:0;border:0;border-radius:2px;font:12px/1.4 system-ui,sans-serif;font-style:normal;color:var(--ink);text-align:left;overflow:hidden;white-space:nowrap;container-type:inline-size;cursor:default;appearance:none}
.bar span{display:none;padding:0 4px;position:relative}
@container (min-width:42px){.bar span{display:block;overflow:hidden;text-overflow:ellipsis}}
.own{background:var(--own)}
.wait{background:repeating-linear-gradient(135deg,var(--wait) 0 5px,var(--wait2) 5px 7px);color:var(--soft)}
.image{background:var(--image)}
.create{background:var(--create)}
.start{background:var(--start)}
.hook{background:var(--hook)}
.ready{background:var(--ready)}
.stop{background:var(--stop)}
.command{background:var(--command)}
.crit{box-shadow:inset 0 -4px 0 var(--crit)}
.pathrow{font-weight:600}
.pathrow .name{color:var(--crit);white-space:normal;line-height:1.1}
.pathrow .bar{background:color-mix(in srgb,var(--crit) 22%,var(--bg));color:var(--fg)}
.pathrow .odd{background:color-mix(in srgb,var(--crit) 42%,var(--bg))}
.track .failed{outline:2px solid var(--bad);outline-offset:-2px}
.track .failed span::before{content:'\\2715\\a0'}
.track .cancelled{outline:1px dashed var(--fg);outline-offset:-1px}
.part{position:absolute;top:65%;bottom:0;border-left:1px solid var(--bg);opacity:.8}
.check{position:absolute;height:1px;margin-top:2px;background:var(--soft);opacity:.6;min-width:1px}
.tries{position:absolute;left:0;right:0;height:5px;pointer-events:none}
.try{position:absolute;top:0;height:5px;min-width:2px;background:var(--miss);opacity:.85;pointer-events:auto}
.try.pass{background:var(--good);opacity:1;min-width:3px}
.mark{position:absolute;top:1px;bottom:1px;width:3px;background:var(--good)}
main:has(#only:checked) .row:not(.pathrow) .bar:not(.crit){opacity:.18}
main:has(#only:checked) .tries,main:has(#only:checked) .check{opacity:.25}
:focus-visible{outline:3px solid #2f81f7;outline-offset:1px;z-index:4}
.bar:focus-visible{outline-offset:-3px}
.detail{position:sticky;bottom:0;display:block;white-space:pre-line;background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:6px 12px;margin-top:8px;z-index:5;max-height:30vh;overflow:auto;overflow-wrap:anywhere}
.detail[hidden]{display:none}
.wide{overflow-x:auto}
table{border-collapse:collapse;min-width:min(100%,40em)}
th,td{text-align:left;padding:3px 16px 3px 0;border-bottom:1px solid var(--line);vertical-align:top}
th+th,td+td{white-space:nowrap}
td:first-child{overflow-wrap:anywhere}
.share{display:inline-block;min-width:9em;background:linear-gradient(to right,color-mix(in srgb,var(--crit) 30%,transparent) var(--share),transparent 0);padding:0 4px}
details{border-bottom:1px solid var(--line);padding:4px 0}
summary{cursor:pointer;overflow-wrap:anywhere}
.spans,.answers{margin:4px 0;padding-left:28px;overflow-wrap:anywhere}
.spans li{white-space:pre-line}
.spans .crit{box-shadow:none;font-weight:600}
@media (max-width:640px){.name{width:6.5rem;display:block}.name b{display:block}.name small{display:none}.legend{gap:2px 8px}td:first-child{min-width:15em}td+td{padding-right:8px}.share{min-width:4em}}
@media print{.tools,.detail{display:none}.scroll{overflow:visible}}
`
