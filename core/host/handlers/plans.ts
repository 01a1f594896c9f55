import type { Handlers } from './handler';

export const planHandlers: Handlers<'plan.curve' | 'plan.at' | 'budget.get' | 'budget.set'> = {
  'plan.curve': ({ model, mode }, { planner }) => planner.curve(model, mode),
  'plan.at': ({ model, mode, budgetBytes }, { planner }) => planner.plan(model, mode, budgetBytes).detail,
  'budget.get': (_input, { loaded }) => loaded.state(),
  'budget.set': async ({ limitBytes }, { loaded, setBudget }) => {
    await setBudget(limitBytes);
    return loaded.state();
  },
};
