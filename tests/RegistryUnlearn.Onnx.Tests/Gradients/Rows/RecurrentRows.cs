namespace RegistryUnlearn.Onnx.Tests.Gradients.Rows;

public sealed class RecurrentRows
{
    internal static readonly RowSet Rows = new(
    [
        new("LSTM", "3,N,2 | 1,12,2 | 1,12,3", "hidden_size=3") { Outputs = 3 },
        new("LSTM", "2,N,2 | 1,12,2 | 1,12,3 | 1,24 |  | 1,N,3 | 1,N,3", "hidden_size=3 direction=reverse") { Outputs = 3 },
        new("LSTM", "2,N,2 | 2,8,2 | 2,8,2 | 2,16", "hidden_size=2 direction=bidirectional") { Outputs = 3 },
        new("LSTM", "1,N,2 | 1,8,2 | 1,8,2", "hidden_size=2"),
        new("GRU", "3,N,2 | 1,9,2 | 1,9,3", "hidden_size=3") { Outputs = 2 },
        new("GRU", "2,N,2 | 1,9,2 | 1,9,3 | 1,18 |  | 1,N,3", "hidden_size=3 linear_before_reset=1") { Outputs = 2 },
        new("GRU", "2,N,2 | 2,6,2 | 2,6,2 | 2,12", "hidden_size=2 direction=bidirectional") { Outputs = 2 },
        new("RNN", "3,N,2 | 1,3,2 | 1,3,3 | 1,6", "hidden_size=3") { Outputs = 2 },
        new("RNN", "2,N,2 | 2,2,2 | 2,2,2 |  |  | 2,N,2", "hidden_size=2 direction=bidirectional") { Outputs = 2 },
    ]);

    public static TheoryData<string, int, bool> Runs => Rows.Runs;

    [Theory, MemberData(nameof(Runs))]
    public void Gradient_agrees_with_difference_quotients(string row, int opset, bool free) => Rows.Check(row, opset, free);
}
