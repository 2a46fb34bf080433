/**
 * The version of what the simulator does, saved with every node of a session and with every submission. It must be raised whenever a
 * script that ran before gives another state or shows a learner something else: another result, another count, another layout of the state.
 * behaviour.test.ts notices that and fails until it is done; docs/sessions.md has the rule.
 */
export const BEHAVIOUR = "1";
