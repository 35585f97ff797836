// Rules of this repository that no linter knows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProjectFiles, findSources, isGenerated, type ProjectFile } from './project-files.js';

const files = findProjectFiles();
const code = files.filter(({ path }) => /\.(ts|mjs|cjs|py|sh|lua)$/.test(path) && !isGenerated(path));

// A file that must be scrolled hides what it does.
test('no file of code is longer than 300 lines', () => {
  assertNone(code, ({ text }) => text.split('\n').length > 301);
});

// A file is found by the question that it answers; these names answer none.
test('no file is named for nothing', () => {
  assertNone(code, ({ path }) => /(^|\/)(utils?|helpers?|common|misc|types|manager)\.\w+$/.test(path));
});

test('files are named in kebab-case', () => {
  assertNone(code, ({ path }) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|d))?\.\w+$/.test(path.split('/').at(-1) ?? ''));
});

// The compiler is only as good as what it is told. @ts-expect-error stays: it fails when there is no error.
test('nothing is hidden from the compiler', () => {
  const hidden = new RegExp(`\\bas ${'any'}\\b|<${'any'}>|@ts-${'ignore'}|@ts-${'nocheck'}`);
  assertNone(findSources(), ({ text }) => hidden.test(text));
});

// What names a folder of one machine works on that machine.
test('no path of a machine is in the repository', () => {
  const folders = ['work', 'root', 'home', 'Users'].join('|');
  const machine = new RegExp(`(?<![\\w.}*-])/(${folders})/`);
  assertNone(files, ({ text }) => machine.test(text));
});

// A resolved URL ties everyone to the registry of whoever made the lock.
test('the lock names no registry', () => {
  assertNone(
    files.filter(({ path }) => path === 'package-lock.json'),
    ({ text }) => /"resolved": "\w+:/.test(text),
  );
});

function assertNone(among: readonly ProjectFile[], isWrong: (file: ProjectFile) => boolean): void {
  assert.notEqual(among.length, 0);
  assert.deepEqual(
    among.filter(isWrong).map(({ path }) => path),
    [],
  );
}
