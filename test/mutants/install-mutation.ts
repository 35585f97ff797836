// Preloaded by --import: see mutation.ts.
import { register } from 'node:module';

const { MUTATION } = process.env;
if (MUTATION) register('./mutation.js', { parentURL: import.meta.url, data: JSON.parse(MUTATION) });
