import { SluiceError } from '../../contract';
import { parseInput } from '../store/parse-input';
import { runPlanSchema, USER_NAME, type RunPlan } from './run-types';

/** @throws SluiceError `bad-input`. */
export function checkUser(user: string): void {
  if (USER_NAME.test(user)) return;
  throw new SluiceError(
    'bad-input',
    `User ${JSON.stringify(user.slice(0, 100))}: expected at most 64 letters, digits, dots, hyphens and underscores, ` +
      'with a letter or digit first.',
  );
}

/** @throws SluiceError `bad-input` with all faults. */
export function checkPlan(plan: RunPlan): RunPlan {
  return parseInput('The run', runPlanSchema, plan);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is undefined, which would take the place of what is there. */
export function definedOf<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Defined<T>;
}
