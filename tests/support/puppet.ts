import { controlledWorkflow } from './controlled-workflow.ts';

export const puppetry = () => {
  const { workflow, runs } = controlledWorkflow();
  return { workflow, puppets: runs };
};
