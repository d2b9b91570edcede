/** The fields of a form for a JSON Schema. */
import { useId, useState } from 'preact/hooks';
import { type Field, labelOf, withMember } from '../schema.ts';

export interface FieldProps {
  readonly field: Field;
  readonly name: string;
  /** The path in the input, as the server writes it: `address.city`. */
  readonly at: string;
  readonly value: unknown;
  readonly isRequired: boolean;
  /** Error messages of the server, by path. */
  readonly mistakes: ReadonlyMap<string, string>;
  readonly onChange: (value: unknown) => void;
}

export const SchemaField = (props: FieldProps) => {
  const { field, name } = props;
  if (field.kind === 'group') return <Group {...props} />;
  const id = useId();
  const mistake = props.mistakes.get(props.at);
  const label = field.title ?? labelOf(name);
  const notes = [field.description && `${id}-about`, mistake && `${id}-mistake`].filter(Boolean).join(' ');
  return (
    <div class={field.kind === 'flag' ? 'field flag' : 'field'}>
      <label for={id}>
        {label}
        {!props.isRequired && <span class="optional"> optional</span>}
      </label>
      <Control {...props} id={id} notes={notes} isWrong={mistake !== undefined} />
      {field.description && (
        <p class="hint" id={`${id}-about`}>
          {field.description}
        </p>
      )}
      {mistake && (
        <p class="mistake" id={`${id}-mistake`} role="alert">
          {mistake}
        </p>
      )}
    </div>
  );
};

const Group = ({ field, name, at, value, mistakes, isRequired, onChange }: FieldProps) => {
  const members = field.members.map((member) => (
    <SchemaField
      key={member.name}
      field={member.field}
      name={member.name}
      at={at === '' ? member.name : `${at}.${member.name}`}
      value={(value as Record<string, unknown> | undefined)?.[member.name]}
      isRequired={member.isRequired && (isRequired || value !== undefined)}
      mistakes={mistakes}
      onChange={(changed) => onChange(withMember(value, member.name, changed))}
    />
  ));
  if (at === '') return <div class="fields">{members}</div>;
  return (
    <fieldset class="group">
      <legend>{field.title ?? labelOf(name)}</legend>
      {field.description && <p class="hint">{field.description}</p>}
      <div class="fields">{members}</div>
    </fieldset>
  );
};

type ControlProps = FieldProps & { readonly id: string; readonly notes: string; readonly isWrong: boolean };

const Control = (props: ControlProps) => {
  const { field, id, notes, isWrong, value, isRequired, onChange } = props;
  const common = { id, required: isRequired, 'aria-describedby': notes || undefined, 'aria-invalid': isWrong };
  const { schema } = field;
  switch (field.kind) {
    case 'flag':
      return (
        <input
          {...common}
          required={false}
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <input
          {...common}
          type="number"
          step={schema.type === 'integer' ? 1 : 'any'}
          min={numberOf(schema.minimum)}
          max={numberOf(schema.maximum)}
          value={value === undefined ? '' : String(value)}
          onInput={({ currentTarget }) =>
            onChange(currentTarget.value === '' ? undefined : currentTarget.valueAsNumber)
          }
        />
      );
    case 'choice':
      return (
        <select
          {...common}
          value={value === undefined ? '' : JSON.stringify(value)}
          onChange={({ currentTarget }) =>
            onChange(currentTarget.value === '' ? undefined : JSON.parse(currentTarget.value))
          }
        >
          <option value="">{isRequired ? 'Choose one' : 'None'}</option>
          {field.choices.map((choice) => (
            <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
              {String(choice)}
            </option>
          ))}
        </select>
      );
    case 'text':
      return (
        <input
          {...common}
          {...INPUT_TYPES[String(schema.format)]}
          minLength={numberOf(schema.minLength)}
          maxLength={numberOf(schema.maxLength)}
          value={value === undefined ? '' : String(value)}
          onInput={({ currentTarget: { value } }) => onChange(value === '' && !isRequired ? undefined : value)}
        />
      );
    default:
      return <JsonControl {...common} value={value} onChange={onChange} />;
  }
};

/** Formats for which browsers produce the required text. */
const INPUT_TYPES: Readonly<Record<string, { type: 'email' } | { type: 'url' } | { type: 'date' }>> = {
  email: { type: 'email' },
  uri: { type: 'url' },
  date: { type: 'date' },
};

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;

type JsonProps = { readonly id: string; readonly required: boolean } & Pick<FieldProps, 'value' | 'onChange'>;

/** Text that is not valid JSON prevents the form from being sent. */
export const JsonControl = ({ value, onChange, ...common }: JsonProps) => {
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  const change = (target: HTMLTextAreaElement): void => {
    setText(target.value);
    try {
      onChange(target.value.trim() === '' ? undefined : JSON.parse(target.value));
      target.setCustomValidity('');
    } catch (error) {
      target.setCustomValidity(`This is no JSON: ${(error as Error).message}`);
    }
  };
  return (
    <textarea
      {...common}
      class="code"
      rows={5}
      spellcheck={false}
      placeholder="JSON"
      value={text}
      onInput={(event) => change(event.currentTarget)}
    />
  );
};
