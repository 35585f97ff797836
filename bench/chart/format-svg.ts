// docs/benchmarks.svg: bars with their numbers, plain enough to be read small, in light and in dark.
import type { Machine } from '../report.js';
import type { Bar, Panel } from './panels.js';

const WIDTH = 760;
const MARGIN = 24;
const LABELS = 210;
const NUMBERS = 120;
const BAR_HEIGHT = 18;
const BAR_STEP = 27;
const HEADING = 34;
const PANEL_GAP = 22;
const LEAST_BAR = 2;
const NOTE_STEP = 18;

const STYLE = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
    .heading { font-weight: 600; font-size: 14px; }
    .note { fill: #59636e; font-size: 12px; }
    .card { fill: #ffffff; stroke: #d1d9e0; }
    .ours { fill: #0969da; }
    .ceiling { fill: #c8d1da; }
    .peer { fill: #818b98; }
    .unsure { opacity: 0.45; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .note { fill: #9198a1; }
      .card { fill: #0d1117; stroke: #3d444d; }
      .ours { fill: #4493f8; }
      .ceiling { fill: #3d444d; }
      .peer { fill: #818b98; }
    }`;

export function formatSvg(panels: readonly Panel[], machine: Machine): string {
  const isUnsure = panels.some(({ bars }) => bars.some(({ counts }) => !counts));
  const notes = isUnsure ? 2 : 1;
  const ofPanels = panels.reduce((sum, { bars }) => sum + HEADING + bars.length * BAR_STEP + PANEL_GAP, 0);
  const height = MARGIN + ofPanels + notes * NOTE_STEP;
  const parts: string[] = [];
  let top = MARGIN;
  for (const panel of panels) {
    parts.push(...formatPanel(panel, top));
    top += HEADING + panel.bars.length * BAR_STEP + PANEL_GAP;
  }
  const note = `One server process, mutual TLS; ${machine.cores} cores shared by server, load and store. Node ${machine.node.slice(1)}.`;
  parts.push(text(MARGIN, top + 4, 'note', note));
  if (isUnsure)
    parts.push(
      text(MARGIN, top + 4 + NOTE_STEP, 'note', 'Pale: the server was not the limit, or the machine was busy.'),
    );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
  <title>${escapeXml(describe(panels))}</title>
  <style>${STYLE}
  </style>
  <rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${parts.map((part) => `  ${part}`).join('\n')}
</svg>
`;
}

function formatPanel({ title, better, bars }: Panel, top: number): readonly string[] {
  const most = Math.max(...bars.map(({ value }) => value));
  const room = WIDTH - 2 * MARGIN - LABELS - NUMBERS;
  return [
    text(MARGIN, top + 14, 'heading', title),
    `<text class="note" x="${WIDTH - MARGIN}" y="${top + 14}" text-anchor="end">${better} is better</text>`,
    ...bars.flatMap((bar, index) => {
      const y = top + HEADING + index * BAR_STEP;
      const length = Math.max(Math.round((bar.value / most) * room), LEAST_BAR);
      const middle = y + BAR_HEIGHT / 2 + 4.5;
      return [
        text(MARGIN, middle, '', bar.label),
        `<rect class="${bar.whose}${bar.counts ? '' : ' unsure'}" x="${MARGIN + LABELS}" y="${y}" width="${length}" height="${BAR_HEIGHT}" rx="3"/>`,
        text(MARGIN + LABELS + length + 8, middle, '', bar.text),
      ];
    }),
  ];
}

/** For those who do not see it. */
function describe(panels: readonly Panel[]): string {
  const toText = ({ label, text: value }: Bar) => `${label} ${value}`;
  return panels.map(({ title, bars }) => `${title}: ${bars.map(toText).join(', ')}.`).join(' ');
}

function text(x: number, y: number, className: string, content: string): string {
  const attribute = className === '' ? '' : `class="${className}" `;
  return `<text ${attribute}x="${x}" y="${y}">${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
