// One answer as a line of the output. The token is not part of it, unless that was asked for.
import type { IntrospectionResult } from '@introspectd/client';
import { stringify } from 'csv-stringify/sync';
import type { RowId } from './batch-row.js';

export type AnswerFormat = 'ndjson' | 'csv' | 'summary';

export interface Answer {
  /** Name of the file in its folder. */
  readonly file: string | undefined;
  readonly line: number;
  readonly id: RowId | undefined;
  readonly token: string;
  readonly result: IntrospectionResult;
  /** Only of a job that revokes. */
  readonly revoked?: boolean | undefined;
}

export interface AnswerColumns {
  readonly format: AnswerFormat;
  /** undefined = all in NDJSON, and the usual ones in CSV. */
  readonly claims: readonly string[] | undefined;
  readonly isFolder: boolean;
  readonly hasId: boolean;
  readonly showsToken: boolean;
  readonly revokes: boolean;
}

export interface AnswerWriter {
  readonly header: string;
  write(answers: readonly Answer[]): string;
}

const ACTIVE = '{"active":true,';
/** Where CSV is not told which. */
const USUAL_CLAIMS = ['iss', 'sub', 'client_id', 'scope', 'aud', 'exp', 'token_use'];

export function createAnswerWriter(columns: AnswerColumns): AnswerWriter {
  switch (columns.format) {
    case 'ndjson':
      return { header: '', write: (answers) => answers.map((answer) => `${toJson(answer, columns)}\n`).join('') };
    case 'csv':
      return createCsvWriter(columns);
    case 'summary':
      return { header: '', write: () => '' };
  }
}

/** Once for every line, so put together from two texts: where it is, and the claims without their "active". */
function toJson({ file, line, id, token, result, revoked }: Answer, { claims, showsToken }: AnswerColumns): string {
  const { active } = result;
  const reason = active ? undefined : result.inactive_reason;
  const shown = showsToken ? token : undefined;
  const where = JSON.stringify({ file, line, id, token: shown, active, inactive_reason: reason, revoked });
  if (!active || claims?.length === 0) return where;
  return `${where.slice(0, -1)},"claims":${claims === undefined ? allClaims(result) : someClaims(result, claims)}}`;
}

function allClaims(result: IntrospectionResult): string {
  const text = JSON.stringify(result);
  if (text.startsWith(ACTIVE)) return `{${text.slice(ACTIVE.length)}`;
  const { active: _, ...claims } = result;
  return JSON.stringify(claims);
}

function someClaims(result: IntrospectionResult, names: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, find(result, name)])));
}

function createCsvWriter({ claims = USUAL_CLAIMS, isFolder, hasId, showsToken, revokes }: AnswerColumns): AnswerWriter {
  const toCells = (answer: Answer): readonly unknown[] => [
    ...(isFolder ? [answer.file] : []),
    answer.line,
    ...(hasId ? [answer.id] : []),
    ...(showsToken ? [answer.token] : []),
    String(answer.result.active),
    ...(revokes ? [String(answer.revoked)] : []),
    ...claims.map((name) => find(answer.result, name)),
  ];
  const names = [
    ...(isFolder ? ['file'] : []),
    'line',
    ...(hasId ? ['id'] : []),
    ...(showsToken ? ['token'] : []),
    'active',
    ...(revokes ? ['revoked'] : []),
    ...claims,
  ];
  // Claims are other people's words, and spreadsheets run what begins with "=".
  const toText = (rows: readonly (readonly unknown[])[]) => stringify([...rows], { escape_formulas: true });
  return { header: toText([names]), write: (answers) => toText(answers.map(toCells)) };
}

function find(result: IntrospectionResult, name: string): unknown {
  const members = result as Readonly<Record<string, unknown>>;
  return Object.hasOwn(members, name) ? members[name] : undefined;
}
