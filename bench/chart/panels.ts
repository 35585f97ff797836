// What the picture shows of a report: the same question asked to us and to the peers.
import { BATCH_TOKENS } from '../answers.js';
import type { Engine } from '../engines.js';
import type { Report } from '../report.js';
import type { RowResult } from '../rounds.js';
import { ECHO_OF_BATCH, MGET, toBatchName, toBatchTitle } from '../scenarios/batch.js';
import { toIntrospectTitle } from '../scenarios/introspect.js';
import { toPeerLatencyTitle } from '../scenarios/peer-latency.js';
import { type SIDES, toRowName } from '../scenarios/sides.js';
import { FULLEST } from '../scenarios/unary-loads.js';

export interface Panel {
  readonly title: string;
  readonly better: 'longer' | 'shorter';
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** As it is written beside the bar. */
  readonly text: string;
  readonly whose: 'ours' | 'ceiling' | 'peer';
  /** False: the load or the machine was the limit, and not the server. */
  readonly counts: boolean;
}

type Place = Pick<Bar, 'label' | 'whose'> & { readonly title: string; readonly row: string };

const ENGINE_LABELS: Readonly<Record<Engine['name'], string>> = {
  lmdb: 'introspectd, LMDB',
  redis: 'introspectd, Redis',
};
const ENGINES = Object.keys(ENGINE_LABELS) as readonly Engine['name'][];

/** Without panels of which nothing was measured. */
export function toPanels(report: Report): readonly Panel[] {
  const panels: readonly Panel[] = [
    {
      title: `Introspect, one token a call: calls a second`,
      better: 'longer',
      bars: toBars(report, introspectPlaces(), ({ perSecond }) => [perSecond.median, toCount(perSecond.median)]),
    },
    {
      title: 'The slowest 1 % at half of what oidc-provider can do: milliseconds',
      better: 'shorter',
      bars: toBars(report, latencyPlaces(), ({ latency }) => {
        const ms = latency?.p99Ms.median ?? Number.NaN;
        return [ms, `${ms.toFixed(ms < 10 ? 1 : 0)} ms`];
      }),
    },
    {
      title: `BatchIntrospect of ${BATCH_TOKENS.toLocaleString('en-US')}: tokens a second`,
      better: 'longer',
      bars: toBars(report, batchPlaces(), ({ perSecond }) => [perSecond.median, toCount(perSecond.median)]),
    },
  ];
  return panels.filter(({ bars }) => bars.length > 0);
}

function introspectPlaces(): readonly Place[] {
  const title = (engine: Engine['name']) => toIntrospectTitle(FULLEST.concurrency, engine);
  const at = (engine: Engine['name'], side: keyof typeof SIDES) => ({
    title: title(engine),
    row: toRowName(side, 'mutual TLS'),
  });
  return [
    { label: 'grpc-js that does nothing', whose: 'ceiling', ...at('lmdb', 'echo') },
    ...ENGINES.map((engine) => ({ label: ENGINE_LABELS[engine], whose: 'ours' as const, ...at(engine, 'whole') })),
    { label: 'grpc-js, one Redis GET a call', whose: 'peer', ...at('redis', 'get') },
    { label: 'oidc-provider, in memory', whose: 'peer', ...at('lmdb', 'oidc') },
  ];
}

function latencyPlaces(): readonly Place[] {
  const at = (engine: Engine['name'], side: keyof typeof SIDES) => ({
    title: toPeerLatencyTitle('mutual TLS', engine),
    row: toRowName(side, 'mutual TLS'),
  });
  return [
    ...ENGINES.map((engine) => ({ label: ENGINE_LABELS[engine], whose: 'ours' as const, ...at(engine, 'whole') })),
    { label: 'oidc-provider, in memory', whose: 'peer', ...at('lmdb', 'oidc') },
  ];
}

function batchPlaces(): readonly Place[] {
  const at = (engine: Engine['name'], row: string) => ({ title: toBatchTitle(engine), row });
  const ours = toBatchName(BATCH_TOKENS);
  return [
    { label: 'grpc-js that does nothing', whose: 'ceiling', ...at('lmdb', ECHO_OF_BATCH) },
    { label: 'raw MGET in Node', whose: 'ceiling', ...at('redis', MGET) },
    ...ENGINES.map((engine) => ({ label: ENGINE_LABELS[engine], whose: 'ours' as const, ...at(engine, ours) })),
  ];
}

function toBars(
  { parts }: Report,
  places: readonly Place[],
  read: (row: RowResult) => readonly [value: number, text: string],
): readonly Bar[] {
  const groups = parts.flatMap((part) => part.groups);
  return places.flatMap(({ label, whose, title, row }) => {
    const found = groups.find((group) => group.title === title)?.rows.find(({ name }) => name === row);
    if (found === undefined || found.verdict === 'calls failed') return [];
    const [value, text] = read(found);
    return [{ label, whose, value, text, counts: found.verdict === 'counts' }];
  });
}

function toCount(value: number): string {
  return value >= 10_000
    ? `${Math.round(value / 1000).toLocaleString('en-US')} k`
    : Math.round(value).toLocaleString('en-US');
}
