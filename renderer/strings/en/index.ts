import { app } from './app';
import { ui } from './ui';
import { connection } from './connection';
import { tour } from './tour';
import { trace } from './trace';
import { decisions } from './decisions';
import { device } from './device';
import { endpoints } from './endpoints';
import { fleet } from './fleet';
import { lab } from './lab';
import { language } from './language';
import { login } from './login';
import { models } from './models';
import { report } from './report';
import { run } from './run';
import { timeline } from './timeline';
import { updates } from './updates';

/** Every English text of the console, by area. Its shape is what a translation has to give. */
export const en = {
  app,
  ui,
  connection,
  tour,
  trace,
  decisions,
  device,
  endpoints,
  fleet,
  lab,
  language,
  login,
  models,
  report,
  run,
  timeline,
  updates,
} as const;
