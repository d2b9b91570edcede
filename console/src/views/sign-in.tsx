/** Asks for the operator key, and exchanges it for a cookie that scripts cannot read. */
import { useState } from 'preact/hooks';
import { Mark, Mistake } from '../parts/bits.tsx';
import { messageOf, signIn } from '../state.ts';

export const SignIn = ({ reason }: { reason: string }) => {
  const [key, setKey] = useState('');
  const [mistake, setMistake] = useState<string>();
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      setMistake((await signIn(key)) ? undefined : 'This is not the operator key.');
    } catch (error) {
      setMistake(messageOf(error));
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void send(event)}>
        <Mark />
        <h1>Fermata</h1>
        <p class="hint">{reason}</p>
        <div class="field">
          <label for="key">Operator key</label>
          <input
            id="key"
            type="password"
            autocomplete="current-password"
            required
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </div>
        <Mistake text={mistake} />
        <button type="submit" class="primary large">
          Sign in
        </button>
      </form>
    </main>
  );
};
