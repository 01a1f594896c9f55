export type { Agent } from './agents/agent';
export { OracleAgent } from './agents/oracle-agent';
export { AGENT_NAMES, createAgent, mostAccurateChoices } from './agents/registry';
export { Decider } from './decisions/decider';
export type { Candidate, Decision } from './decisions/decision';
export { FailureBackoff } from './decisions/failure-backoff';
export { DecisionLog } from './decisions/decision-log';
export type { LoggedDecision } from './decisions/decision-log';
export { replayDecisions } from './decisions/replay';
export type { ReplayReport } from './decisions/replay';
export type { Environment, Outcome } from './environment/environment';
export type {
  Answer,
  FailedAttempt,
  LiveEndpoint,
  LiveInference,
  StageTimes,
} from './environment/live-endpoint';
export { LiveTestbed } from './environment/live-testbed';
export type { LiveOutcome } from './environment/live-testbed';
export { SimulatedTestbed } from './environment/simulated-testbed';
export { freeConstraints } from './learning/constraints';
export { CrowdBound } from './oracle/crowd-bound';
export { ExactOracle } from './oracle/exact-oracle';
export { builtInScenario, LINK_SCENARIO_NAMES, LINK_SCENARIOS, linkScenarioOf } from './scenario/built-in';
export type { LinkScenarioName } from './scenario/built-in';
export { deploymentSystem } from './scenario/deployment';
export { mobilenetVariants } from './scenario/mobilenet-variants';
export { parseScenario } from './scenario/schema';
export type { Scenario, TierName, Variant } from './scenario/schema';
export { describeSystem, systemOfDescription } from './scenario/system-description';
export type { SystemDescription } from './scenario/system-description';
export { choiceName, meanAccuracyPct, stateOfNodes, systemOf } from './scenario/system';
export type { System, SystemState } from './scenario/system';
export { decodeCheckpoint, encodeCheckpoint } from './training/checkpoint';
export { ConvergenceDetector, WITHIN_ONE_PERCENT } from './training/convergence';
export { EvaluationSet, statesOf } from './training/evaluation';
export type { Evaluation } from './training/evaluation';
export { train, trainStep } from './training/train';
