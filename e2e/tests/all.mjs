// All tests, in one process, one after the other.
import { after } from 'node:test';
import { stopAll } from '../lib/program.mjs';
import './settings.mjs';
import './operations.mjs';
import './snippets.mjs';
import './tokens.mjs';
import './audits.mjs';
import './clients.mjs';
import './messages.mjs';
import './documents.mjs';
import './pages.mjs';

after(stopAll);
