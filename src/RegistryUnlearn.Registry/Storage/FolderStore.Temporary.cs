namespace RegistryUnlearn.Registry;

public sealed partial class FolderStore : ITemporaryFiles
{
    public IReadOnlyList<ObjectEntry> ListAbandoned(TimeSpan age) =>
        [.. temp.Abandoned(age).Select(f => new ObjectEntry(PathOf(f), f.Length))];

    public void DeleteAbandoned(ObjectEntry file) => File.Delete(Local(ObjectPath.Check(file.Path)));
}
