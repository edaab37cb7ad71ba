/// The report's look: light and dark, on a screen and on paper.
enum ReportStyle {
    static let text = """
        :root {
          --page: #f6f7f9; --card: #ffffff; --ink: #1b1f24; --soft: #5b6572; --line: #d9dee5; --grid: #e8ebf0;
          --good: #0a7d55; --bad: #b3261e; --warn: #9a6700;
          --goodWash: #e3f4ec; --badWash: #fce8e6; --warnWash: #fdf3d6;
          --up: #1f9d72; --degraded: #e6a817; --down: #d1442f; --adminDown: #98a2ad; --band: #d1442f;
          --c0: #1f6feb; --c1: #d9730d; --c2: #8250df; --c3: #0f8b8d; --c4: #bf3989; --c5: #7a7a00; --c6: #8b5a2b;
          --c7: #57606a;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #0e1116; --card: #161b22; --ink: #e8ecf1; --soft: #9aa5b1; --line: #2d343d; --grid: #232a32;
            --good: #4cc38a; --bad: #ff8f85; --warn: #e8b949;
            --goodWash: #12301f; --badWash: #3a1513; --warnWash: #332a0d;
            --up: #2fb886; --degraded: #e6a817; --down: #f0654f; --adminDown: #6b7682; --band: #f0654f;
            --c0: #6ea8fe; --c1: #ff9e4a; --c2: #b794ff; --c3: #4fd1c5; --c4: #ff80bf; --c5: #c9c94a; --c6: #d2a679;
            --c7: #a0aab4;
          }
        }
        * { box-sizing: border-box; }
        html { background: var(--page); color: var(--ink); }
        body { margin: 0; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
        main { max-width: 1240px; margin: 0 auto; padding: 28px 20px 60px; }
        h1 { margin: 0; font-size: 28px; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
        h2 { margin: 0 0 12px; font-size: 17px; display: inline-block; }
        header p { margin: 8px 0 0; color: var(--soft); max-width: 80ch; }
        .title { display: flex; flex-wrap: wrap; gap: 14px; align-items: center; }
        .badge { padding: 3px 14px; border-radius: 99px; font-weight: 650; background: var(--warnWash);
          color: var(--warn); }
        .badge.passed { background: var(--goodWash); color: var(--good); }
        .badge.failed, .badge.error { background: var(--badWash); color: var(--bad); }
        dl { display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 14px 0 0; }
        dt { font-size: 12px; color: var(--soft); }
        dd { margin: 0; font-variant-numeric: tabular-nums; }
        .digest dd { font: 12px/22px ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
        .tiles { list-style: none; margin: 20px 0 0; padding: 0; display: grid; gap: 12px;
          grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); }
        .tiles li, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
        .tiles li { padding: 12px 16px; display: flex; flex-direction: column; }
        .tiles .label, .tiles .note, .note, .count { color: var(--soft); font-size: 13px; }
        .tiles .number { font-size: 28px; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
        .tiles small { font-size: 14px; font-weight: 400; color: var(--soft); margin-left: 5px; }
        .tiles .good .number { color: var(--good); }
        .tiles .bad .number { color: var(--bad); }
        section { margin-top: 16px; padding: 18px 20px; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
        th { text-align: left; font-weight: 600; color: var(--soft); font-size: 12.5px;
          border-bottom: 1px solid var(--line); vertical-align: bottom; }
        th, td { padding: 6px 18px 6px 0; }
        th:last-child, td:last-child { padding-right: 0; }
        td { border-bottom: 1px solid var(--grid); vertical-align: top; }
        tbody tr:last-child td { border-bottom: 0; }
        .n { text-align: right; white-space: nowrap; }
        .tone { font-weight: 600; }
        .tone.good { color: var(--good); }
        .tone.bad { color: var(--bad); }
        .note { margin: 10px 0 0; max-width: 100ch; }
        details summary { cursor: pointer; }
        details summary h2 { margin: 0; }
        details[open] summary { margin-bottom: 12px; }
        svg { display: block; width: 100%; height: auto; font-size: 11.5px; font-family: inherit;
          font-variant-numeric: tabular-nums; touch-action: pan-y; }
        svg text { fill: var(--ink); }
        svg .soft { fill: var(--soft); }
        svg .strong { font-weight: 650; }
        svg .end { text-anchor: end; }
        svg .middle { text-anchor: middle; }
        svg .grid { stroke: var(--grid); stroke-width: 1; shape-rendering: crispEdges; }
        svg .frame { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; fill: none; }
        svg .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
        svg .dashed { stroke-dasharray: 5 4; }
        svg .peak { stroke: none; opacity: 0.22; }
        svg .band { fill: var(--band); opacity: 0.11; }
        svg .band.mild { fill: var(--soft); opacity: 0.13; }
        svg .flag { fill: var(--band); opacity: 0.85; }
        svg .flag.mild { fill: var(--soft); }
        svg .warmup { fill: var(--soft); opacity: 0.07; }
        svg .up { fill: var(--up); opacity: 0.16; }
        svg .degraded { fill: var(--degraded); opacity: 0.42; }
        svg .down { fill: var(--down); opacity: 0.42; }
        svg .adminDown { fill: var(--adminDown); opacity: 0.35; }
        svg .hatch { stroke: var(--down); stroke-width: 1.5; opacity: 0.7; }
        svg .mark { stroke: var(--card); stroke-width: 1; }
        svg .mark.up { fill: var(--up); opacity: 1; }
        svg .mark.degraded { fill: var(--degraded); opacity: 1; }
        svg .mark.down { fill: var(--down); opacity: 1; }
        svg .mark.adminDown { fill: var(--adminDown); opacity: 1; }
        svg .track { stroke-linecap: butt; }
        svg .move { stroke-width: 1.2; stroke-dasharray: 2 2; fill: none; }
        svg .cross { stroke: var(--ink); stroke-width: 1; opacity: 0.55; pointer-events: none; }
        svg .clock { fill: var(--ink); pointer-events: none; }
        svg .clockText { fill: var(--card); font-weight: 650; text-anchor: middle; pointer-events: none; }
        svg .edge { stroke: var(--soft); stroke-width: 1.4; opacity: 0.75; }
        svg .edge.broken { stroke: var(--down); stroke-width: 2.4; stroke-dasharray: 6 4; opacity: 1; }
        svg .node { fill: var(--card); stroke: var(--soft); stroke-width: 1.6; }
        svg .node.patronus { fill: var(--c0); stroke: var(--c0); }
        svg .node.host { stroke: var(--c3); }
        svg .node.cloud { stroke: var(--c2); }
        svg .halo { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
        @media print {
          :root { --page: #ffffff; --card: #ffffff; --ink: #000000; --soft: #444c56; --line: #c4cad2; --grid: #e4e7ec; }
          body { font-size: 12px; }
          main { max-width: none; padding: 0; }
          section { break-inside: avoid; }
          #run, #timeline, #metrics, #links { break-inside: auto; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }
        """
}
