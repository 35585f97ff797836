import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { createAudit } from '../../src/telemetry/audit.js';
import { createCallLog } from '../../src/telemetry/call-log.js';
import { createLogger, type LogLevel } from '../../src/telemetry/logger.js';

function createSink(write: (line: string) => void) {
  return Object.assign(new EventEmitter(), { write });
}

function createLines(level: LogLevel) {
  const lines: string[] = [];
  const destination = createSink((line) => lines.push(line));
  return { lines, logger: createLogger({ level, service: 's', destination }), destination };
}

const AUDIT = { action: 'revoke', caller: 'c', requestId: 'r', code: 'OK', details: {} } as const;

describe('logger', () => {
  it('writes from its level on', () => {
    const { lines, logger } = createLines('warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger.write(level, level);
    logger.writeAlways('always', {});
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).msg),
      ['warn', 'error', 'always'],
    );
    assert.deepEqual([logger.isEnabled('info'), logger.isEnabled('warn')], [false, true]);
  });

  it('one record is one line, whatever is in it', () => {
    const { lines, logger } = createLines('info');
    logger.write('info', 'event', { text: 'a\n{"msg":"forged"}\r\u2028' });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^[^\n\r]*\n$/);
  });

  it('a sink that throws or breaks holds nobody up', () => {
    const destination = createSink(() => {
      throw new Error('disk full');
    });
    const logger = createLogger({ level: 'debug', service: 's', destination });
    destination.emit('error', new Error('EPIPE'));
    assert.doesNotThrow(() => logger.write('error', 'event'));
    assert.doesNotThrow(() => createAudit(logger).write(AUDIT));
  });
});

describe('call log', () => {
  it('does not hash what it does not write', () => {
    const { lines, logger } = createLines('warn');
    let hashed = 0;
    const callLog = createCallLog({ logger, digestToken: () => `digest-${++hashed}` });
    const record = { method: 'M', caller: 'c', requestId: 'r', durationMs: 1.23456, facts: { token: 'abc' } };
    assert.equal(callLog.writesSuccesses(), false);
    callLog.write({ ...record, code: 'OK', error: undefined });
    callLog.write({ ...record, code: 'INVALID_ARGUMENT', error: undefined });
    assert.deepEqual([lines.length, hashed], [0, 0]);
    callLog.write({ ...record, code: 'UNAVAILABLE', error: undefined });
    callLog.write({ ...record, code: 'INTERNAL', error: undefined });
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)).map(({ level, token, duration_ms: ms }) => [level, token, ms]),
      [
        ['warn', 'digest-1', 1.235],
        ['error', 'digest-2', 1.235],
      ],
    );
  });
});
