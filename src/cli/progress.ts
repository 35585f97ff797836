// How far a job is: a bar on a terminal, a line every 10 s elsewhere; on stderr.
import { Presets, SingleBar } from 'cli-progress';
import { printNote } from './terminal.js';

export interface Progress {
  /** So many rows more; `readBytes` of the input were read for all of them so far. */
  advance(rows: number, readBytes: number): void;
  /** A note that does not get into the bar's way. */
  note(text: string): void;
  stop(): void;
}

const LINE_EVERY_MS = 10_000;
const FORMAT = '{bar} {percentage}% | {rows} rows | {rate}/s | {left}';

/** `totalBytes` of 0 = nobody knows how much there is. */
export function startProgress(totalBytes: number, startBytes = 0): Progress {
  const startMs = performance.now();
  let rows = 0;
  let readBytes = startBytes;

  function describe() {
    const seconds = Math.max(0.001, (performance.now() - startMs) / 1_000);
    const bytesPerSecond = (readBytes - startBytes) / seconds;
    const leftSeconds = bytesPerSecond > 0 ? (totalBytes - readBytes) / bytesPerSecond : Number.POSITIVE_INFINITY;
    return {
      rows: formatCount(rows),
      rate: formatCount(Math.round(rows / seconds)),
      left: totalBytes > 0 && Number.isFinite(leftSeconds) ? `${formatSeconds(Math.max(0, leftSeconds))} left` : '',
    };
  }

  if (process.stderr.isTTY && totalBytes > 0) {
    const bar = new SingleBar({ format: FORMAT, hideCursor: true, stream: process.stderr }, Presets.shades_classic);
    bar.start(totalBytes, startBytes, describe());
    return {
      advance: (more, bytes) => {
        rows += more;
        readBytes = Math.max(readBytes, bytes);
        bar.update(Math.min(readBytes, totalBytes), describe());
      },
      note: (text) => {
        process.stderr.write('\r\u001b[K');
        printNote(text);
      },
      stop: () => bar.stop(),
    };
  }

  const timer = setInterval(() => {
    const { rows: done, rate, left } = describe();
    const percent = totalBytes > 0 ? `${Math.floor((readBytes / totalBytes) * 100)}%, ` : '';
    printNote(`${percent}${done} rows, ${rate}/s${left === '' ? '' : `, ${left}`}`);
  }, LINE_EVERY_MS);
  // It alone keeps no process alive.
  timer.unref();
  return {
    advance: (more, bytes) => {
      rows += more;
      readBytes = Math.max(readBytes, bytes);
    },
    note: printNote,
    stop: () => clearInterval(timer),
  };
}

/** 1234567 -> 1,234,567 */
function formatCount(count: number): string {
  return String(count).replace(/(?<=\d)(?=(\d{3})+$)/g, ',');
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) return `${hours}h${minutes}m`;
  return minutes > 0 ? `${minutes}m${whole % 60}s` : `${whole}s`;
}
